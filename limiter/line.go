package limiter

import (
	"sync"
)

// lines are where those stand who wait for the accounts of a shard. A line exists
// while somebody stands in it. The lock may be taken with a shard's held.
type lines struct {
	mu sync.Mutex
	of map[string]*line // by account
}

// A line is those who wait for one account, the first to come first.
type line struct {
	first, last *waiter
}

// A waiter is a place in a line.
type waiter struct {
	// turn is sent to when the waiter has become the first, and whenever there is
	// reason to ask again while it is.
	turn chan struct{}

	account    string
	prev, next *waiter
}

// call tells the waiter to ask. It may have been told already.
func (w *waiter) call() {
	select {
	case w.turn <- struct{}{}:
	default:
	}
}

func (l *Limiter) linesOf(account string) *lines {
	return &l.lines[l.hash.of(account)%shardCount]
}

// awaited reports whether somebody waits for the account.
func (l *Limiter) awaited(account string) bool {
	if l.awaiting.Load() == 0 {
		return false
	}
	s := l.linesOf(account)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.of[account] != nil
}

// join gives a new waiter the last place in the account's line, and the turn where
// that is the first. Who has joined misses no change.
func (l *Limiter) join(account string) *waiter {
	w := &waiter{turn: make(chan struct{}, 1), account: account}
	s := l.linesOf(account)
	s.mu.Lock()
	defer s.mu.Unlock()
	if q := s.of[account]; q != nil {
		w.prev, q.last.next, q.last = q.last, w, w
		return w
	}
	if s.of == nil {
		s.of = make(map[string]*line)
	}
	s.of[account] = &line{first: w, last: w}
	l.awaiting.Add(1)
	w.call()
	return w
}

// leave gives the waiter's place up, and its turn to the next.
func (l *Limiter) leave(w *waiter) {
	s := l.linesOf(w.account)
	s.mu.Lock()
	defer s.mu.Unlock()
	q := s.of[w.account]
	if w.next != nil {
		w.next.prev = w.prev
	} else {
		q.last = w.prev
	}
	switch {
	case w.prev != nil:
		w.prev.next = w.next
	case w.next != nil:
		q.first = w.next
		q.first.call()
	default:
		delete(s.of, w.account)
		l.awaiting.Add(-1)
		if len(s.of) == 0 {
			s.of = nil // a map keeps the room for all that were ever in it
		}
	}
}

// changed says that something was given back to the account, or that other rules
// or holds stop it now: whoever waits for it first asks again. An empty account
// means all of them. It may be called with the lock of a shard held, and is to be
// called once the change can be seen under that lock.
func (l *Limiter) changed(account string) {
	if l.awaiting.Load() > 0 {
		l.wake(account)
	}
}

func (l *Limiter) wake(account string) {
	if account == "" {
		for i := range l.lines {
			l.lines[i].wake()
		}
		return
	}
	s := l.linesOf(account)
	s.mu.Lock()
	defer s.mu.Unlock()
	if q := s.of[account]; q != nil {
		q.first.call()
	}
}

func (s *lines) wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, q := range s.of {
		q.first.call()
	}
}
