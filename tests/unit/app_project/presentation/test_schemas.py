from talelio_backend.app_project.presentation.other_names import OTHER_NAMES
from talelio_backend.app_project.presentation.project_list import SparseProjectAnswer
from talelio_backend.app_project.presentation.revision_routes import RevisionAnswer, RevisionEntryAnswer
from talelio_backend.app_project.presentation.schemas import ChangeBody, WrittenProjectAnswer


def test_every_field_of_a_response_can_be_sent_back() -> None:
    accepted = {*ChangeBody.model_fields, *ChangeBody.unread}

    for answer in WrittenProjectAnswer, SparseProjectAnswer, RevisionAnswer, RevisionEntryAnswer:
        assert {*dict(answer.model_fields)} <= accepted


def test_other_names_lead_to_fields() -> None:
    assert {*OTHER_NAMES.values()} == {*ChangeBody.model_fields}
    assert not {*OTHER_NAMES} & {*ChangeBody.model_fields, *ChangeBody.unread}
