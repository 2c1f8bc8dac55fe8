"""Look-ups: what is known of one code, payer, policy or version, and lists of them, each fact with its citation.

In:  the store of a snapshot.  Out: frozen records whose fields are the keys of the JSON answers; what no source
states is null or an empty list. `NotFoundError` says what was looked for, with names that are close.
"""

from payergraph.lookups.codes import code, search_codes
from payergraph.lookups.payers import payer, search_payers
from payergraph.lookups.policies import policy, search_policies, version

__all__ = ["code", "payer", "policy", "search_codes", "search_payers", "search_policies", "version"]
