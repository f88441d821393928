"""Words for refusals below SOAP: HTTP statuses, certificate errors, sign-ins. A table."""

from __future__ import annotations

REJECTED = {  # hint by auth
    "ntlm": "write local accounts as HOST\\user and domain accounts as DOMAIN\\user; the account "
    "must be in Administrators or Remote Management Users",
    "basic": "Basic takes local accounts only; write the user without a domain",
    "kerberos": "needs a ticket (kinit), the host's full name instead of its address, and "
    "clocks within five minutes",
    "certificate": "the host must map this certificate to an account "
    "(winrm/config/service/certmapping)",
    "credssp": "the host must allow CredSSP (Enable-WSManCredSSP -Role Server)",
}

_RENEW = "renew the host's certificate and bind it: winrm set winrm/config/Listener…"
UNKNOWN_ISSUER = (
    "its issuer is not trusted",
    "set ca_trust_path to the issuer's certificate (PEM), or to the host's own if self-signed",
)
_WRONG_NAME = (
    "it was issued for another name",
    "use the name the certificate was issued for in the URL",
)
CERTIFICATE = {  # X509_V_ERR_*
    9: ("it is not valid yet", "check the clocks of both machines"),
    10: ("it has expired", _RENEW),
    18: ("it is self-signed and not known here", UNKNOWN_ISSUER[1]),
    19: ("it is self-signed and not known here", UNKNOWN_ISSUER[1]),
    20: UNKNOWN_ISSUER,
    21: UNKNOWN_ISSUER,
    23: ("it has been revoked", _RENEW),
    62: _WRONG_NAME,
    64: _WRONG_NAME,
}

GATEWAY = (502, 504)
"""Statuses of something in between, which had passed the request on."""
STATUS = {  # what, cause, hint
    302: (
        "the address points elsewhere",
        "an HTTP redirect instead of an answer",
        "give the URL of WinRM itself, such as http://host:5985/wsman",
    ),
    400: (
        "the host could not read the message",
        "HTTP 400",
        "the session may have been lost on the way; it is opened anew with the next request",
    ),
    403: (
        "access forbidden",
        "HTTP 403",
        "a proxy or an IP filter of WinRM may be in the way",
    ),
    404: (
        "no WinRM at this address",
        "HTTP 404",
        "the path should be /wsman, and the port WinRM's: 5985 http, 5986 https",
    ),
    407: (
        "the proxy wants a sign-in",
        "HTTP 407",
        "hvdeck signs in to no proxy: take one that asks for none, or reach the host past it",
    ),
    413: (
        "the request is too large for the host",
        "HTTP 413: longer than MaxEnvelopeSizekb",
        'raise it there: winrm set winrm/config @{MaxEnvelopeSizekb="500"}',
    ),
    500: (
        "the host refused the message unread",
        "HTTP 500 without a word, which is how AllowUnencrypted=false refuses clear text",
        "use message_encryption = 'auto' with auth ntlm or kerberos, or an https URL",
    ),
    502: (
        "what stands between got no proper answer from the host",
        "HTTP 502",
        "",
    ),
    503: (
        "WinRM is not running",
        "HTTP 503",
        "start it on the host: Start-Service WinRM",
    ),
    504: (
        "what stands between got no answer from the host in time",
        "HTTP 504",
        "",
    ),
}
