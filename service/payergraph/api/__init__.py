"""The HTTP face: requests in, answers of the rooms out, in the format that the client asked for.

`app` puts the routers together and says how to add one; `service` is what routers share; `negotiation` picks the
format; `problems` turns every error into one kind of body.
"""
