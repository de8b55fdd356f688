package queue

type campaignName struct {
	name     string
	priority int
}

// many is how many campaigns are looked through before they are looked up.
const many = 16

// heard is all campaigns that have messages: first those with one that may go, which
// are a heap, the next one first.
func (q *line) heard() []*campaign {
	switch {
	case q.rare != nil && q.rare.heard != nil:
		return q.rare.heard
	case q.sole[0] != nil:
		return q.sole[:]
	}
	return nil
}

// turns is the campaigns with a message that may go.
func (q *line) turns() []*campaign { return q.heard()[:q.ready] }

// hear adds a campaign that has had no messages.
func (q *line) hear(c *campaign) {
	all := q.heard()
	c.at = int32(len(all))
	switch len(all) {
	case 0:
		q.sole[0] = c
	case 1:
		q.more().heard = []*campaign{all[0], c}
		q.sole[0] = nil
	default:
		q.rare.heard = append(all, c)
	}
}

// known is the campaign of a name and priority, nil where it has no messages.
func (q *line) known(name string, priority int) *campaign {
	if q.rare != nil && q.rare.names != nil {
		return q.rare.names[campaignName{name, priority}]
	}
	for _, c := range q.heard() {
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
	c := &campaign{name: name, priority: int32(priority)}
	q.shard.chains.season(c)
	q.hear(c)
	switch all := q.heard(); {
	case q.rare != nil && q.rare.names != nil:
		q.rare.names[campaignName{name, priority}] = c
	case len(all) > many:
		names := make(map[campaignName]*campaign)
		for _, c := range all {
			names[campaignName{c.name, int(c.priority)}] = c
		}
		q.rare.names = names
	}
	return c
}

// dismiss forgets a campaign that has no messages any more.
func (q *line) dismiss(c *campaign) {
	all := q.heard()
	last := len(all) - 1
	q.swap(int(c.at), last)
	all[last] = nil
	if q.rare == nil {
		return
	}
	if q.rare.heard != nil {
		q.rare.heard = all[:last]
	}
	delete(q.rare.names, campaignName{c.name, int(c.priority)})
	if last == 1 {
		q.sole[0], q.rare.heard = all[0], nil
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
	if c.at >= q.ready {
		return
	}
	i := int(c.at)
	if c.ready.first() != nil {
		q.sink(q.rise(i))
		return
	}
	q.ready--
	last := int(q.ready)
	q.swap(i, last)
	if i < last {
		q.sink(q.rise(i))
	}
}

func (q *line) swap(i, j int) {
	all := q.heard()
	all[i], all[j] = all[j], all[i]
	all[i].at, all[j].at = int32(i), int32(j)
}

func (q *line) rise(i int) int {
	turns := q.turns()
	for i > 0 {
		parent := (i - 1) / 2
		if !turns[i].sooner(turns[parent]) {
			break
		}
		q.swap(i, parent)
		i = parent
	}
	return i
}

func (q *line) sink(i int) {
	turns := q.turns()
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(turns); child++ {
			if turns[child].sooner(turns[least]) {
				least = child
			}
		}
		if least == i {
			return
		}
		q.swap(i, least)
		i = least
	}
}
