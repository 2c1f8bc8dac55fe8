"""Small policies for tests: a few words in, the TriG of one policy with its versions out."""

from dataclasses import dataclass, field

HEAD = """\
@base <https://w3id.org/payergraph/> .
@prefix pg: <ontology#> .
@prefix scheme: <scheme/> .
@prefix dcterms: <http://purl.org/dc/terms/> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
"""


@dataclass(frozen=True)
class Version:
    """A version and what its one source says of it; `dates` are properties with ISO dates."""

    key: str
    dates: dict[str, str] = field(default_factory=dict)
    follows: str | None = None
    revised: tuple[str, ...] = ()
    draft: bool = False
    origin: str = "own-document"
    position: str = ""

    def trig(self, policy: str) -> str:
        """The version's entry in the register, and its source's graph."""
        version, source = f"<policy/{policy}/{self.key}>", f"source/{policy}/{self.key}"
        dates = "".join(f' ; pg:{name} "{day}"^^xsd:date' for name, day in self.dates.items())
        follows = f" ; pg:follows <policy/{policy}/{self.follows}>" if self.follows else ""
        revisions = "".join(
            f"  <{source}#revision-{number}> a pg:RevisionEntry ; pg:version {version} ;"
            f' pg:revisedOn "{day}"^^xsd:date .\n'
            for number, day in enumerate(self.revised, 1)
        )
        draft = " ; pg:draft true" if self.draft else ""
        position = f"  <{source}#position-1> a pg:CoveragePosition ; pg:version {version} {self.position} .\n"
        return (
            f"<policy/> {{ {version} a pg:PolicyVersion ; dcterms:isVersionOf <policy/{policy}>{draft} . }}\n"
            f"<{source}> {{\n  <{source}#record-1> a pg:VersionRecord ; pg:version {version} ;"
            f" pg:origin scheme:origin-{self.origin}{dates}{follows} .\n"
            f"{revisions}{position if self.position else ''}}}\n"
        )


def policy_trig(*versions: Version, policy: str = "example/P1", kind: str = "medical-policy") -> str:
    """The TriG of a policy of a document type with these versions."""
    register = f"<policy/> {{ <policy/{policy}> a pg:Policy ; pg:documentType scheme:document-type-{kind} . }}\n"
    return HEAD + register + "".join(version.trig(policy) for version in versions)
