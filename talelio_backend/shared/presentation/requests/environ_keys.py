"""Keys of the WSGI environ that pass facts about a request to logs, metrics and traces."""

# The template of the matched route.
ROUTE = 'talelio.route'
# The response cache's result: hit, miss or bypass.
CACHE = 'talelio.cache'
# The id of the authenticated account.
ACCOUNT = 'talelio.account'
