package queue

type campaignName struct {
	name     string
	priority int
}

// many is how many campaigns are looked through before they are looked up.
const many = 16

// known is the campaign of a name and priority, nil where it has no messages.
func (q *line) known(name string, priority int) *campaign {
	if q.rare != nil && q.rare.names != nil {
		return q.rare.names[campaignName{name, priority}]
	}
	for _, c := range q.heard {
		if c.name == name && int(c.priority) == priority {
			return c
		}
	}
	return nil
}

// campaign is the campaign of a name and priority, made where there is none.
func (q *line) campaign(name string, priority int) *campaign {
	if c := q.known(name, priority); c != nil {
		return c
	}
	c := &campaign{name: name, priority: int32(priority), at: int32(len(q.heard))}
	q.heard = append(q.heard, c)
	switch {
	case q.rare != nil && q.rare.names != nil:
		q.rare.names[campaignName{name, priority}] = c
	case len(q.heard) > many:
		names := make(map[campaignName]*campaign)
		for _, c := range q.heard {
			names[campaignName{c.name, int(c.priority)}] = c
		}
		q.more().names = names
	}
	return c
}

// dismiss forgets a campaign that has no messages any more.
func (q *line) dismiss(c *campaign) {
	last := len(q.heard) - 1
	q.heard[c.at] = q.heard[last]
	q.heard[c.at].at = c.at
	q.heard[last], q.heard = nil, q.heard[:last]
	if q.rare != nil {
		delete(q.rare.names, campaignName{c.name, int(c.priority)})
	}
}

// passOf is where the turns of a priority stand.
func (q *line) passOf(priority int) *uint64 {
	if priority == 0 {
		return &q.passed
	}
	r := q.more()
	for i := range r.passed {
		if r.passed[i].priority == priority {
			return &r.passed[i].pass
		}
	}
	r.passed = append(r.passed, priorityPass{priority: priority})
	return &r.passed[len(r.passed)-1].pass
}

// sooner reports whether one campaign's turn comes before another's. Those that have
// had as many go as their first messages came.
func (c *campaign) sooner(other *campaign) bool {
	switch {
	case c.priority != other.priority:
		return c.priority > other.priority
	case c.pass != other.pass:
		return c.pass < other.pass
	}
	return c.ready.first().seq < other.ready.first().seq
}

// fix puts a campaign where it belongs among the turns, after its messages or its
// pass have changed. One without a message that may go has none.
func (q *line) fix(c *campaign) {
	if c.place == 0 {
		return
	}
	i := int(c.place) - 1
	if c.ready.first() != nil {
		q.sink(q.rise(i))
		return
	}
	last := len(q.turns) - 1
	q.swapTurns(i, last)
	q.turns[last], q.turns = nil, q.turns[:last]
	c.place = 0
	if i < last {
		q.sink(q.rise(i))
	}
}

func (q *line) swapTurns(i, j int) {
	q.turns[i], q.turns[j] = q.turns[j], q.turns[i]
	q.turns[i].place, q.turns[j].place = int32(i+1), int32(j+1)
}

func (q *line) rise(i int) int {
	for i > 0 {
		parent := (i - 1) / 2
		if !q.turns[i].sooner(q.turns[parent]) {
			break
		}
		q.swapTurns(i, parent)
		i = parent
	}
	return i
}

func (q *line) sink(i int) {
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(q.turns); child++ {
			if q.turns[child].sooner(q.turns[least]) {
				least = child
			}
		}
		if least == i {
			return
		}
		q.swapTurns(i, least)
		i = least
	}
}
