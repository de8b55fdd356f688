package queue

import (
	"slices"
	"sync"
	"sync/atomic"
)

// waiters are those who wait for a message to be done with, by its ID. Each has a
// channel with room for one record.
type waiters struct {
	n   atomic.Int64 // so that messages that nobody waits for are not looked up
	mu  sync.Mutex
	ids map[string][]chan<- Record
}

func (w *waiters) join(id string, c chan<- Record) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ids == nil {
		w.ids = make(map[string][]chan<- Record)
	}
	w.ids[id] = append(w.ids[id], c)
	w.n.Add(1)
}

// leave forgets one that has stopped waiting.
func (w *waiters) leave(id string, c chan<- Record) {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := w.ids[id]
	i := slices.Index(all, c)
	if i < 0 {
		return // told already
	}
	w.n.Add(-1)
	if w.ids[id] = slices.Delete(all, i, i+1); len(all) == 1 {
		delete(w.ids, id)
	}
}

// tell gives the record to all who wait for it.
func (w *waiters) tell(r *Record) {
	if w.n.Load() == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.ids[r.ID] {
		c <- r.copy()
	}
	w.n.Add(-int64(len(w.ids[r.ID])))
	delete(w.ids, r.ID)
}
