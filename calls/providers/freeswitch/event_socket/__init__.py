"""FreeSWITCH as it happens: its event socket, and what its events say of calls."""
