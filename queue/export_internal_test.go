package queue

// SetStore replaces the store of a queue that has no messages yet.
func (q *Queue) SetStore(s Store) { q.store = s }

// Lanes is how many lanes the queue keeps.
func (q *Queue) Lanes() int {
	n := 0
	for range q.all() {
		n++
	}
	return n
}

// Undone is how many messages the queue counts as not done with.
func (q *Queue) Undone() int64 { return q.waiting.Load() }

// NewVolatile is the store of a queue that is given none and keeps no history.
func NewVolatile() Store { return newMemory(0) }

// Families is how many portfolios the queue keeps the accounts of.
func (q *Queue) Families() int { return len(q.families.members) }
