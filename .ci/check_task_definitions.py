"""Hold task definitions against what ECS takes, as botocore's model of it says.

Usage: check_task_definitions.py FILE...
"""
import json
import sys
from pathlib import Path

import botocore.session
from botocore.validate import ParamValidator


def main(*files: str) -> int:
    ecs = botocore.session.get_session().get_service_model('ecs')
    shape = ecs.operation_model('RegisterTaskDefinition').input_shape
    assert shape is not None
    is_wrong = False
    for file in files:
        report = ParamValidator().validate(json.loads(Path(file).read_text(encoding='utf-8')), shape)
        if report.has_errors():
            is_wrong = True
            print(f'{file}: {report.generate_report()}')
    return int(is_wrong)


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
