"""The sentences that the phone's script shows, in the reader's language."""

from django.utils.translation import gettext as _


def words() -> dict[str, str]:
    return _states() | _faults() | _ends() | _deeds()


def _states() -> dict[str, str]:
    return {
        "starting": _("Starting…"),
        "registering": _("Connecting to the phone system…"),
        "ready": _("Ready for calls"),
        "refused": _("Not connected"),
        "away": _("No connection to the phone system. Trying again…"),
        "calling": _("Calling…"),
        "ringing_there": _("Ringing…"),
        "ringing": _("Incoming call"),
        "talking": _("In call"),
        "held": _("On hold"),
        "held_there": _("The other side has put you on hold"),
        "transferring": _("Transferring…"),
        "ended": _("Call ended"),
        "calls_you": _("%s calls"),
        "unknown": _("Unknown number"),
        "transfer_to_other": _("Connect with %s"),
    }


def _faults() -> dict[str, str]:
    return {
        "elsewhere": _("Your phone is open in another window. Use it there, or close it first."),
        "insecure": _(
            "This page is not secure, so the browser gives it no microphone. Open the site with "
            "https://."
        ),
        "unsupported": _("This browser cannot make calls. Use a current Chrome, Edge or Firefox."),
        "denied": _(
            "The browser keeps the microphone from this page. Allow it beside the page’s address, "
            "then call again."
        ),
        "no_microphone": _("No microphone was found. Connect one, then call again."),
        "busy_microphone": _("Another program keeps the microphone. Close that, then call again."),
        "password": _(
            "The phone system refuses your line’s user or password. Ask your administrator to "
            "enter them again."
        ),
        "refused_because": _("The phone system refuses your line (%s). Ask your administrator."),
        "unreachable": _(
            "The phone system cannot be reached. It is tried again by itself; if it stays so, ask "
            "your administrator."
        ),
        "signed_out": _("You are signed out. Sign in again in another window: nothing is lost."),
        "offline": _("No connection to CallManager. What happens is kept and sent later."),
        "full": _("There are two calls already. End one first."),
        "no_number": _("Type a number to call."),
        "not_recorded": _("Something of this call could not be recorded: %s"),
        "no_transfer": _("The call was not taken there. It is still yours."),
        "not_made": _("The call could not be made."),
    }


def _ends() -> dict[str, str]:
    return {
        "Busy": _("Busy"),
        "Rejected": _("Refused"),
        "Canceled": _("Not answered"),
        "No Answer": _("No answer"),
        "Unavailable": _("Not reachable"),
        "Not Found": _("There is no such number"),
        "Address Incomplete": _("There is no such number"),
        "RTP Timeout": _("The call broke off: no more sound"),
        "Connection Error": _("The call broke off: no connection"),
        "Internal Error": _("The call broke off"),
        "failed": _("The call did not come about"),
    }


def _deeds() -> dict[str, str]:
    return {
        "hold": _("Hold"),
        "resume": _("Resume"),
        "hang_up": _("Hang up"),
        "refuse": _("Refuse"),
        "mute": _("Mute"),
        "unmute": _("Unmute"),
        "default_device": _("As the system has it"),
        "microphone": _("Microphone %s"),
        "speaker": _("Speaker %s"),
        "good": _("Good line"),
        "fair": _("Fair line"),
        "poor": _("Poor line"),
        "line_details": _("loss %(loss)s %%, jitter %(jitter)s ms, round trip %(trip)s ms"),
    }
