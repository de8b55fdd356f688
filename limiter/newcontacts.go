package limiter

import "time"

// newContacts is a window that counts requests. Which of them are to new contacts
// is decided before it is asked.
type newContacts struct{ meter }

func (m newContacts) ask(c cells, r *claim) gate {
	one := *r
	one.cost = 1
	return ask(m.meter, c, &one)
}

func (m newContacts) charge(c cells, r *claim) bool {
	one := *r
	one.cost = 1
	return charge(m.meter, c, &one)
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
