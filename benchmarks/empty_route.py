"""A FastAPI application with one route that does nothing, served as ours is: a port in, a server until it is ended."""

import sys

import uvicorn
from fastapi import FastAPI

app = FastAPI()


@app.get("/", response_model=None)
async def nothing() -> dict[str, str]:
    """Answer with nothing: what any route of the framework costs at least."""
    return {}


if __name__ == "__main__":
    config = uvicorn.Config(
        app, port=int(sys.argv[1]), log_level="warning", access_log=False, server_header=False, lifespan="on"
    )
    uvicorn.Server(config).run()
