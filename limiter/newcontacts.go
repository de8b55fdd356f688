package limiter

import "time"

// newContacts is a window that counts requests. Which of them are to new contacts
// is decided before it is asked.
type newContacts struct{ meter }

func one(d demand) demand { return demand{1, d.keep, d.recipient} }

func (m newContacts) ask(c cells, at instant, d demand) gate { return m.meter.ask(c, at, one(d)) }

func (m newContacts) charge(c cells, at instant, d demand, serial uint64) bool {
	return m.meter.charge(c, at, one(d), serial)
}

func (m newContacts) spend(c cells, at instant, d demand, serial uint64) {
	m.meter.spend(c, at, one(d), serial)
}

func (m newContacts) settle(c cells, r receipt, end instant, o Outcome) {
	r.cost = 1
	m.meter.settle(c, r, end, o)
}

func (m newContacts) counts() (family, time.Duration) {
	_, period := m.meter.counts()
	return strangers, period
}

func (m newContacts) same(other meter) bool {
	o, ok := other.(newContacts)
	return ok && m.meter.same(o.meter)
}
