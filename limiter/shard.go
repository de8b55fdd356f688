package limiter

import (
	"sync"

	"github.com/wapace/wapace/internal/dice"
)

// A shard holds the accounts whose keys hash to it, under one lock.
type shard struct {
	mu      sync.Mutex
	table   table
	words   slab[int64]
	logs    logs
	flights slab[flight]
	serial  uint64
	_       [64]byte // keeps two shards' locks off one cache line
}

// An account is one key's record.
type account struct {
	key    string
	dice   dice.Account // the key to its draws
	last   int64        // the latest tick at which something was taken or settled
	words  uint32       // its row of words
	flight uint32       // its first permit in flight, plus 1
	steady bool         // last follows the monotonic clock
}

// saw moves the account to an instant.
func (a *account) saw(at instant) { a.last, a.steady = at.tick, at.steady }

// A flight is a permit that is not settled. An account's flights form a ring, in
// the order they were taken.
type flight struct {
	receipt
	rules      set
	account    uint32
	prev, next uint32
}

// launch records a permit in flight.
func (s *shard) launch(i uint32, r receipt, rules set) (number uint32) {
	if s.flights.row == 0 {
		s.flights.row = 1
	}
	number = s.flights.take()
	f, a := s.flights.one(number), s.table.account(i)
	*f = flight{receipt: r, rules: rules, account: i, prev: number, next: number}
	if a.flight == 0 {
		a.flight = number + 1
		return number
	}
	head := s.flights.one(a.flight - 1)
	tail := s.flights.one(head.prev)
	f.prev, f.next = head.prev, a.flight-1
	tail.next, head.prev = number, number
	return number
}

// land forgets a permit in flight.
func (s *shard) land(number uint32) {
	f := s.flights.one(number)
	a := s.table.account(f.account)
	switch {
	case f.next == number:
		a.flight = 0
	case a.flight == number+1:
		a.flight = f.next + 1
	}
	s.flights.one(f.prev).next, s.flights.one(f.next).prev = f.next, f.prev
	f.serial = 0
	s.flights.give(number)
}
