package queue_test

import (
	"context"

	"github.com/wapace/wapace/queue/queuetest"
)

// Known says whom an account has written to, as the ledger has it.
func (l *life) Known(_ context.Context, account, to string) (bool, error) {
	w := l.world
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.quiet {
		return w.wrote(account, to), nil
	}
	switch w.dice.IntN(20) {
	case 0:
		return w.wrote(account, to), errNo
	case 1:
		panic("no contacts")
	}
	return w.wrote(account, to), nil
}

// wrote reports whether an account has surely written to a recipient. It requires w.mu.
func (w *world) wrote(account, to string) bool { return w.written[[2]string{account, to}] }

// fresh reports whether a message is to somebody to whom no other surely went before,
// so that the queue cannot know better than that it is a new contact. It requires w.mu.
func (w *world) fresh(m *message, to string) bool {
	return !w.wrote(m.Account, m.To) && !w.wrote(m.Account, to)
}

// write notes whom a call that has ended was for. It requires w.mu.
func (w *world) write(c *queuetest.Call) {
	if !c.Unsent {
		w.written[[2]string{c.Account, c.Recipient}] = true
	}
}
