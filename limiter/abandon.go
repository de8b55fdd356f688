package limiter

import (
	"time"
)

// Abandon settles every permit of an account that has not been settled, as sent at
// time now. It is for whoever has restored an account whose permits nobody can
// settle any more: the pauses after them count from now. A time that no request may
// have is an error, and nothing is settled.
func (l *Limiter) Abandon(now time.Time, account string) error {
	at := l.instant(now)
	if !at.known() {
		return timeProblem(now)
	}
	hash := l.hash.of(account)
	s := &l.shards[hash%shardCount]
	s.mu.Lock()
	defer s.mu.Unlock()
	i, known := s.accounts.find(hash, account)
	if !known {
		return nil
	}
	defer l.changed(account)
	at = l.reach(s, i, l.planOf(s.accounts.at(i)), ofAccount, at)
	for s.accounts.at(i).flight != 0 {
		l.settle(s, s.accounts.at(i).flight-1, at, at, Sent)
	}
	return nil
}
