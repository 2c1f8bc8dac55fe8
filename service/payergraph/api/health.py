"""`GET /health`: the running service in, whether it is up and on which data out."""

import orjson
from fastapi import APIRouter
from starlette.responses import Response

from payergraph.api.service import ServiceDependency

__all__ = ["router"]

router = APIRouter(tags=["service"])


@router.get("/health", summary="Is the server up, and on which data?")
async def health(service: ServiceDependency) -> Response:
    """Answer from the manifest of the snapshot: counting the store would take seconds."""
    manifest = service.snapshot.manifest
    body = {"status": "ok", "snapshot": manifest.snapshot, "triples": manifest.triples, "built": manifest.created}
    return Response(orjson.dumps(body), media_type="application/json", headers={"Cache-Control": "no-store"})
