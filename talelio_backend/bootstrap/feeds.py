from talelio_backend.app_feed.presentation.change_routes import ChangeParts, change_routes
from talelio_backend.app_project.business.project import Project
from talelio_backend.app_project.presentation.schemas import ProjectAnswer
from talelio_backend.bootstrap.ground import Ground


def add_feeds(ground: Ground) -> None:
    api_base_url = ground.settings.api_base_url

    def represent(project: Project) -> ProjectAnswer:
        return ProjectAnswer.of(project, api_base_url)

    ground.app.register_blueprint(
        change_routes(ChangeParts(unit_of_work=ground.unit_of_work, represent=represent))
    )
