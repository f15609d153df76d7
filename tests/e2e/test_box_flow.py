"""The flow of `make box-trial`, which needs Docker, against the box's proxy and an API of its own."""
from pathlib import Path

from tests.box.flow import OWNER, PROJECTS, use
from tests.support.served_api import ServedApi
from tests.support.smtp_sink import SmtpSink
from tests.support.traefik import EAGER_CHECKS, HOST, Traefik


def test_the_main_flow_works_through_the_proxy(
    tmp_path: Path, database_url: str, smtp_sink: SmtpSink
) -> None:
    environ = {
        'API_BASE_URL': f'https://{HOST}',
        'TRUSTED_PROXIES': '127.0.0.1',
        'WHITELISTED_EMAILS': OWNER.email,
        'SMTP_URL': smtp_sink.url,
    }
    (tmp_path / 'traefik').mkdir()
    with (
        ServedApi(tmp_path, database_url, environ) as api,
        Traefik(tmp_path / 'traefik', [api.url], changes=EAGER_CHECKS) as traefik,
        traefik.client() as client,
    ):
        listed = use(client, smtp_sink)

        assert client.get(PROJECTS).content == listed.content
