"""A model server with known truth, to measure the measuring with.

It answers as OpenAI-compatible servers and Ollama do, on a schedule that the request asks for in
its model's name, fails as it is told to, and remembers when each byte really left.

    with MockServer(ttft_ms=200, itl_ms=20) as server:
        ...  # measure server.url with the model "mock?tokens=64&fault=cut"
        truth = server.truth().by_id()

It runs as a process of its own and is light: what it costs is taken from the client that is
measured on the same machine.
"""

from chimera.testing.mock_server.process import MockServer
from chimera.testing.mock_server.truth import RequestTruth, Summary, Truth

__all__ = ["MockServer", "RequestTruth", "Summary", "Truth"]
