"""What a served API tells Prometheus."""
import re
from collections.abc import Iterable

import requests
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from tests.support.served_api import TIMEOUT, ServedApi

# To be given to a server.
METRICS = {'METRICS_ADDRESS': '127.0.0.1:0'}


def metrics_url(api: ServedApi) -> str:
    """Of the server that was started last."""
    found: list[str] = re.findall(r'metrics are at (http://[\d.]+:\d+/metrics)', api.log())
    return found[-1]


def scrape(api: ServedApi) -> str:
    response = requests.get(metrics_url(api), timeout=TIMEOUT)
    assert response.status_code == 200
    assert response.headers['Content-Type'].startswith('text/plain; version=')
    return response.text


def families(api: ServedApi) -> Iterable[Metric]:
    return text_string_to_metric_families(scrape(api))


def total(api: ServedApi, sample: str, **labels: str) -> float:
    """The sum of all samples of this name that have these labels among theirs."""
    return sum(
        each.value for family in families(api) for each in family.samples
        if each.name == sample and labels.items() <= each.labels.items()
    )
