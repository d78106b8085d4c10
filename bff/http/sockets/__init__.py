"""Requests on non-blocking sockets: the page's own thread writes them all, then gathers the replies.

Who has not loaded requests cannot have mocked it. The sockets look whether `HTTPAdapter.send` is requests' own only
where requests is loaded, and over plain HTTP without proxies nothing loads it: a sixth of a start. Over https it is
loaded at start, for its rules of certificates, so that no page waits for an import.

The way out is a requests adapter where that can be told, and sockets where it cannot. Plain `responses` mocks every
call, and so does whatever else takes the place of `HTTPAdapter.send`: the transport of sockets looks before each call
whether that is still requests' own code, and hands the call to requests when it is not. So nothing is parsed, pooled
or signed by us where somebody watches requests, and nobody pays for requests where nobody does.

HTTP/1.1 is read by llhttp, and judged by us. What can be read in two ways is refused, and what a reply leaves behind
on a connection closes it, so that no reply can be taken for another's. A packed body is unpacked once it is whole
(`bff/http/decoding.py`, on both transports): urllib3, which unpacks as bytes come, takes a coding that was cut for
one that has ended.
"""
