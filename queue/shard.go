package queue

import (
	"hash/maphash"
	"iter"
	"sync"
)

// A shard holds the lanes of the accounts that hash to it, under one lock.
//
// A lane, its items and all that hangs on them belong to the lane's shard and
// change with its lock held. Nobody holds two shards' locks at once. Under one, the
// queue calls nothing but the limiter, the clock and what is known of numbers; never
// the store, the user's functions or the logger.
type shard struct {
	mu       sync.Mutex
	lanes    lanes
	chains   chains
	due      schedule
	sends    timing // of all lanes
	checks   timing
	entering map[string]struct{} // the IDs of messages on their way into a lane that others may ask for
	spare    []*affairs          // that lanes may have
	sketches []*sketching        // under way
	none     affairs             // of all lanes that have none; nobody writes to it
	common   rare                // of all lines that have none; nobody writes to it
	_        [64]byte            // keeps two shards' locks off one cache line
}

const shardCount = 16

func (q *Queue) openShards() {
	for i := range q.shards {
		q.shards[i].open(q.hash)
		q.shards[i].entering = make(map[string]struct{})
		q.shards[i].due.open(&q.tickets)
	}
}

// open makes a shard ready for lines.
func (s *shard) open(seed maphash.Seed) {
	s.lanes.seed, s.chains.seed, s.common.shard = seed, seed, s
}

// newShard is a shard of its own, for a line or some.
func newShard(seed maphash.Seed) *shard {
	s := &shard{}
	s.open(seed)
	return s
}

// shardOf is the shard of an account.
func (q *Queue) shardOf(account string) *shard {
	return &q.shards[maphash.String(q.hash, account)%shardCount]
}

// first is the shard whose lane is due first of all and when that is, or nil and
// never. It takes no lock: the lane may be another one by the time that the shard
// is locked.
func (q *Queue) first() (first *shard, due int64) {
	due = never
	var last ticket
	for i := range q.shards {
		s := &q.shards[i]
		d := s.due.head.Load()
		if d > due || d == never {
			continue
		}
		if t := ticket(s.due.headTicket.Load()); d < due || t.before(last) {
			first, due, last = s, d, t
		}
	}
	return first, due
}

// scheduled is how many lanes wait for a time.
func (q *Queue) scheduled() (n int) {
	for i := range q.shards {
		n += int(q.shards[i].due.size.Load())
	}
	return n
}

// all is every lane, each with its shard's lock held, in no order.
func (q *Queue) all() iter.Seq[*lane] {
	return func(yield func(*lane) bool) {
		for i := range q.shards {
			if !q.shards[i].each(yield) {
				return
			}
		}
	}
}

func (s *shard) each(yield func(*lane) bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for l := range s.lanes.all() {
		if !yield(l) {
			return false
		}
	}
	return true
}
