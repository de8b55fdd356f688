// Package queue sends messages at the pace that a [policy.Policy] allows.
//
// A [Queue] takes a message by [Queue.Enqueue] or [Queue.Send], keeps it in its
// account's lane, and hands it to a [Sender], the function that delivers one
// message, when the account may send. A message's way has no way back:
//
//	queued -> sending -> sent | failed | in_doubt
//
// In a lane messages go out in the order they came; where a lane is wider than one
// they start in that order and may overtake each other on the wire. When the
// limiter opens, the recipient is verified if the sender is a [Verifier], typing is
// shown if it is a [Typist], the permit is taken, the message is recorded as
// sending, and Send is called; what Send answers settles the permit and the
// message.
//
// Verifying is an act of its own, [policy.CheckNumber], with its own budget, and what
// it answers is kept; see [Options].Verify. A message whose check has no budget yet,
// or failed, waits while messages that need none, or whose recipient is known, pass
// it. Those to one number never overtake each other. A message to somebody who is
// not on WhatsApp fails and spends nothing of what sends may take.
//
// A send whose end is not known, because the connection or the sender broke off, is
// in doubt. It is never sent again by itself.
//
// [Queue.Run] drives the queue with workers and one timer. [Queue.Step] does
// everything that is due on the caller's goroutine and says when the next thing
// is; tests and simulations call it with a clock of their own. Before Run nothing
// runs, and nothing runs after it.
//
// The queue decides nothing about limits: package limiter does. It knows no wire
// either: package queue/queuetest has a scripted sender for tests.
package queue
