package limiter

import (
	"slices"
)

// State is all that a limiter remembers of one account, for tests. Pauses that were
// put off are drawn in it, as in a snapshot: it is the same whether they were.
type State struct {
	Known   bool
	Words   []int64
	Logs    [][]int64 // oldest first, of each word that can number one
	Last    int64
	Steady  bool
	Flights []flight
}

// State is a deep copy of what the limiter remembers of the account.
func (l *Limiter) State(key string) State {
	hash := l.hash.of(key)
	s := &l.shards[hash%shardCount]
	s.mu.Lock()
	defer s.mu.Unlock()
	i, known := s.accounts.find(hash, key)
	if !known {
		return State{}
	}
	a := s.accounts.at(i)
	words := s.mine(l.planOf(a), ofAccount, i, a).clone()
	s.draw(l.planOf(a), ofAccount, words, a.dice)
	out := State{Known: true, Words: slices.Concat(words.near, words.far), Last: a.last, Steady: a.steady}
	for rules := l.planOf(a).in[ofAccount]; rules != 0; rules &= rules - 1 {
		r := &l.planOf(a).rules[rules.first()]
		switch r.meter.(type) {
		case *slidingWindow:
			out.Logs = append(out.Logs, s.stock.copyOf(words.of(r)[0]))
		case *chunkedWindow:
			out.Logs = append(out.Logs, s.stock.copyOf(words.of(r)[0]), s.stock.copyOf(words.of(r)[1]))
		}
	}
	for f := range s.flying(a) {
		out.Flights = append(out.Flights, *f)
	}
	return out
}

func (s *stock) copyOf(number int64) (entries []int64) {
	l := s.logs.at(number)
	for i := range l.len() {
		entries = append(entries, l.at(i))
	}
	return entries
}

// Accounts is how many accounts the limiter remembers, for tests.
func (l *Limiter) Accounts() (n int) {
	for i := range l.shards {
		s := &l.shards[i]
		s.mu.Lock()
		n += s.accounts.index.used
		s.mu.Unlock()
	}
	return n
}
