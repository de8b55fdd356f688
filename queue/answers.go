package queue

import (
	"container/list"
	"sync"
	"time"
)

// answers is what is known of numbers, the oldest first in its list. All lanes share
// it, under a lock of its own.
type answers struct {
	verify *Verify
	mu     sync.Mutex
	known  map[string]*list.Element
	list   list.List // of answer
}

type answer struct {
	number     string
	registered bool
	to         string // where it is sent
	at         time.Time
}

func newAnswers(v *Verify) *answers {
	return &answers{verify: v, known: make(map[string]*list.Element)}
}

// of is what is known of a number.
func (a *answers) of(number string, now time.Time) (answer, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	e := a.known[number]
	if e == nil {
		return answer{}, false
	}
	known, _ := e.Value.(answer)
	if !known.holds(a.verify, now) {
		a.forget(e, number)
		return answer{}, false
	}
	return known, true
}

// holds reports whether an answer is neither old nor from a time that has not come.
func (v *answer) holds(verify *Verify, now time.Time) bool {
	keep := verify.No
	if v.registered {
		keep = verify.Yes
	}
	age := now.Sub(v.at)
	return age < keep && age >= -tolerance
}

// learn keeps what was answered of a number, and so of its address.
func (a *answers) learn(v answer) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.keep(v)
	if v.registered && v.to != v.number && isPhone(v.to) {
		v.number = v.to
		a.keep(v)
	}
}

// keep requires a.mu.
func (a *answers) keep(v answer) {
	if e := a.known[v.number]; e != nil {
		a.forget(e, v.number)
	}
	if a.verify.Most <= 0 || v.registered && a.verify.Yes < 0 || !v.registered && a.verify.No < 0 {
		return
	}
	if len(a.known) >= a.verify.Most {
		oldest, _ := a.list.Front().Value.(answer)
		a.forget(a.list.Front(), oldest.number)
	}
	a.known[v.number] = a.list.PushBack(v)
}

// forget requires a.mu.
func (a *answers) forget(e *list.Element, number string) {
	a.list.Remove(e)
	delete(a.known, number)
}
