from talelio_backend.app_user.presentation.routes import UserParts, user_routes
from talelio_backend.bootstrap.ground import Ground


def add_users(ground: Ground) -> None:
    parts = UserParts(
        unit_of_work=ground.unit_of_work,
        access_tokens=ground.access_tokens,
        avatar_url=ground.avatar_url,
    )
    ground.app.register_blueprint(user_routes(parts))
