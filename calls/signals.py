"""What happened to a call, for whoever wants to tell people. Sent inside the transaction.

All: `sender` is CallLog; `call` the CallLog as it now stands, where one is meant.
"""

from django.dispatch import Signal

call_started = Signal()
call_changed = Signal()  # answered, held, paused, noted, or corrected after its end
call_ended = Signal()  # once a call: at its first end
# With whom it lay and when, before it was saved: `user_id` (None: nobody) and `start_time`.
call_moved = Signal()
# Many at once, by themselves (recording.save_all): `lain` are pairs (user_id, start_time), with
# whom they lay and when, before and after. No other signal tells of them.
calls_rewritten = Signal()
