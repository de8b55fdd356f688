package limiter

import (
	"iter"
	"sync"

	"github.com/wapace/wapace/policy"
)

// A shard holds the accounts whose keys hash to it and their recipients, or
// portfolios, under one lock.
type shard struct {
	mu       sync.Mutex
	accounts table
	pairs    pairs
	rows     []slab[int64] // words that are not in a record, by how many a row has
	stock    stock
	flights  slab[flight]
	serial   uint64
	holds    map[Target]*stop // on the shard's accounts; made once used
	others   others           // of the request in hand
	rests    map[owner][]rest // what policies that are gone have left; made once used

	lookbacks map[uint32]lookback // by account; made once used
	_         [64]byte            // keeps two shards' locks off one cache line
}

// A flight is a permit that is not settled. An account's flights form a ring, in
// the order they were taken.
type flight struct {
	receipt
	action     policy.Action
	rules      set // those that were charged
	owed       set // those of them that have something to give back
	account    uint32
	pair       uint32  // plus 1
	turn       uint8   // the account's, when the permit was taken
	portfolio  deposit // where the portfolio's share is, if one was charged
	prev, next uint32
}

// A deposit is a charge to a portfolio, which has a shard of its own.
type deposit struct {
	receipt
	shard   uint32 // plus 1
	account uint32
	turn    uint8
}

// launch records a permit in flight.
func (s *shard) launch(f *flight) (number uint32) {
	number = s.flights.take(1)
	a := s.accounts.at(f.account)
	f.prev, f.next = number, number
	if a.flight == 0 {
		a.flight = number + 1
	} else {
		head := s.flights.one(a.flight - 1)
		f.prev, f.next = head.prev, a.flight-1
		s.flights.one(head.prev).next, head.prev = number, number
	}
	*s.flights.one(number) = *f
	return number
}

// flying are an account's permits in flight, in the order they were taken. They are
// valid until the next call of launch.
func (s *shard) flying(a *account) iter.Seq[*flight] {
	first := a.flight
	return func(yield func(*flight) bool) {
		for n := first; n != 0; {
			f := s.flights.one(n - 1)
			if !yield(f) {
				return
			}
			if n = f.next + 1; n == first {
				return
			}
		}
	}
}

// land forgets a permit in flight.
func (s *shard) land(number uint32) {
	f := s.flights.one(number)
	a := s.accounts.at(f.account)
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
