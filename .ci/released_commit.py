"""Print `commit=` and the commit that is in production, for a workflow's output.

That is the newest whose deployment, as GitHub records it for the environment `production`, came to a good
end. Where there is none yet, the commit is empty, and there is a warning.

`gh` is asked, which wants GH_TOKEN; GITHUB_REPOSITORY names the repository.
"""
import json
import os
import subprocess
import sys

QUERY = '''
query ($owner: String!, $name: String!) {
  repository(owner: $owner, name: $name) {
    deployments(environments: ["production"], first: 50, orderBy: {field: CREATED_AT, direction: DESC}) {
      nodes { commitOid state }
    }
  }
}
'''
# A deployment is ACTIVE until another one has replaced it.
IN_PRODUCTION = ('ACTIVE', 'SUCCESS')


def main() -> None:
    owner, _, name = os.environ['GITHUB_REPOSITORY'].partition('/')
    fields = ['--raw-field', f'query={QUERY}', '--raw-field', f'owner={owner}', '--raw-field', f'name={name}']
    response = subprocess.run(['gh', 'api', 'graphql', *fields],
                              stdout=subprocess.PIPE,
                              text=True,
                              check=True)
    deployments = json.loads(response.stdout)['data']['repository']['deployments']['nodes']
    commits = [item['commitOid'] for item in deployments if item['state'] in IN_PRODUCTION]
    if not commits:
        print(
            '::warning::Nothing is in production yet: there is no release to try on the new schema.',
            file=sys.stderr
        )
    print(f'commit={commits[0] if commits else ""}')


if __name__ == '__main__':
    main()
