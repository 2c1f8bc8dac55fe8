"""The settings of payergraph: defaults, then `PAYERGRAPH_*` environment variables, then flags.

In:  the environment.  Out: a frozen `Settings`; the command line overrides single values with `model_copy`.
The help of each setting stands in its description; `payergraph serve --help` and the docs print it from there.
"""

from pathlib import Path

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

__all__ = ["Settings"]


class Settings(BaseSettings):
    """What a user may set, each by a flag of the same name or by `PAYERGRAPH_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix="PAYERGRAPH_", frozen=True)

    store: str = Field(default=".store", description="Folder of the snapshots (embedded).")
    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    query_seconds: float = Field(default=30, gt=0, description="Time limit of one ad hoc SPARQL query, in seconds.")
    query_memory_mb: int = Field(default=2048, ge=512, description="Memory limit of one query worker, in MiB.")
    query_workers: int = Field(default=2, ge=1, description="How many ad hoc SPARQL queries run at once.")
    query_queue: int = Field(default=16, ge=0, description="How many ad hoc queries may wait for a worker.")
    body_bytes: int = Field(default=10_000_000, gt=0, description="Largest request body that is read, in bytes.")

    @field_validator("store")
    @classmethod
    def _only_a_folder(cls, value: str) -> str:
        """Refuse an endpoint: `build` and look-ups need the embedded store."""
        if value.startswith(("http://", "https://")):
            raise ValueError(f"{value} is an endpoint; the store is a folder in this release")
        return value

    @property
    def store_path(self) -> Path:
        """The folder of the snapshots."""
        return Path(self.store)
