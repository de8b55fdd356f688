// Package queue sends messages at the pace that a [policy.Policy] allows.
//
// A [Queue] takes a message by [Queue.Enqueue] or [Queue.Send], keeps it in its
// account's lane, and hands it to a [Sender], the function that delivers one
// message, when the account may send. A message's way:
//
//	queued -> sending -> sent | failed | in_doubt
//
// or, before it is on the wire, cancelled or expired. Only what a sender says may be
// sent again goes back from sending to queued.
//
// In a lane messages of a higher priority go first, then those of the campaigns in
// turn, then as they came. Messages of one priority and campaign to one recipient go
// one after the other and never overtake each other, also where one is tried again.
// All others pass a message that waits for something of its own: its NotBefore, its
// next attempt, a check, a hold on its recipient or campaign.
//
// When the limiter opens, the recipient is verified if the sender is a [Verifier],
// typing is shown if it is a [Typist], the permit is taken, the message is recorded
// as sending, and Send is called; what Send answers settles the permit and the
// message. An error that holds a [Verdict] says what it means: [Retry], [Hold],
// [Drop], [Offline] or [Unknown].
//
// Verifying is an act of its own, [policy.CheckNumber], with its own budget, and what
// it answers is kept; see [Options].Verify. A message whose check has no budget yet,
// or failed, waits while messages that need none, or whose recipient is known, pass
// it. A message to somebody who is not on WhatsApp fails and spends nothing of what
// sends may take.
//
// A send whose end is not known, because the connection or the sender broke off, is
// in doubt. It is sent again only where its [Message].InDoubt, or [Queue.Resolve],
// says so.
//
// With an [Options].Store that outlives the process nothing is lost: [New] takes up
// what waits, what was spent and what is held. A queue that died leaves what it had on
// the wire in doubt, and the pause after it begins anew.
//
// A policy's rules of [policy.ScopePortfolio] are kept by all accounts of one portfolio
// together; [Options].Portfolio says which one an account belongs to.
//
// Whatever the user's code does, a panic or the end of its goroutine, costs at most its
// own message's certainty: no other lane waits for it, and no message is lost.
//
// [Queue.Run] drives the queue with workers and one timer. [Queue.Step] does
// everything that is due on the caller's goroutine and says when the next thing
// is; tests and simulations call it with a clock of their own. Before Run nothing
// runs, and nothing runs after it.
//
// The queue decides nothing about limits: package limiter does. It knows no wire
// either: package queue/queuetest has a scripted sender for tests.
package queue
