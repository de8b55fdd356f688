package queue

import "slices"

// A contender is a campaign that takes turns with others. There are turns only while
// several have messages.
type contender struct {
	*campaign

	pass uint64 // how many turns it has had; one that comes late begins with the others
}

type priorityPass struct {
	priority int32
	pass     uint64
}

// many is how many campaigns are looked through before they are looked up.
const many = 16

// contenders is all campaigns that have messages, and how many of them have one that may
// go. Those come first and are a heap, the next one first.
func (q *line) contenders() (all []contender, ready int) {
	switch {
	case q.rare.heard != nil:
		return q.rare.heard, int(q.rare.ready)
	case q.own.n == 0:
		return nil, 0
	case q.own.ready.first() == nil:
		return []contender{{campaign: &q.own}}, 0
	}
	return []contender{{campaign: &q.own}}, 1
}

// shared reports whether campaigns take turns.
func (q *line) shared() bool { return len(q.rare.heard) > 1 }

// hear adds a campaign that has had no messages.
func (q *line) hear(c *campaign) {
	all, ready := q.contenders()
	c.at = int32(len(all))
	if len(all) == 0 {
		return // it is the line's own
	}
	r := q.more()
	r.heard, r.ready = append(all, contender{campaign: c}), int32(ready)
}

// known is the campaign of a name, nil where it has no messages.
func (q *line) known(name campaignName) *campaign {
	switch r := q.rare; {
	case r.names != nil:
		return r.names[name]
	case r.heard == nil && q.own.n > 0 && q.own.campaignName == name:
		return &q.own
	}
	for _, c := range q.rare.heard {
		if c.campaignName == name {
			return c.campaign
		}
	}
	return nil
}

// campaign is the campaign of a name, made where there is none.
func (q *line) campaign(name campaignName) *campaign {
	if c := q.known(name); c != nil {
		return c
	}
	c := &q.own
	if c.n > 0 {
		c = &campaign{}
	}
	c.title = q.shard().chains.title(name)
	q.hear(c)
	switch r := q.rare; {
	case r.names != nil:
		r.names[name] = c
	case len(r.heard) > many:
		r.names = make(map[campaignName]*campaign)
		for _, c := range r.heard {
			r.names[c.campaignName] = c.campaign
		}
	}
	return c
}

// dismiss forgets a campaign that has no messages any more.
func (q *line) dismiss(c *campaign) {
	r := q.rare
	if r.heard == nil {
		return
	}
	last := len(r.heard) - 1
	q.swap(int(c.at), last)
	r.heard[last] = contender{}
	r.heard = r.heard[:last]
	delete(r.names, c.campaignName)
	if last > 1 {
		return
	}
	r.passed = nil
	switch {
	case last == 1 && r.heard[0].campaign != &q.own:
		r.heard[0].pass = 0
	default:
		r.heard, r.ready, r.names = nil, 0, nil
	}
}

// resume has an empty line hear campaigns that another one has, as they stand there. It
// returns them; their messages are to follow.
func (q *line) resume(from []contender, ready int, passed []priorityPass) []contender {
	if len(from) == 0 {
		return nil
	}
	q.own = *from[0].campaign
	if len(from) == 1 {
		return []contender{{campaign: &q.own}}
	}
	all, others := slices.Clone(from), make([]campaign, len(from)-1)
	all[0].campaign = &q.own
	for i := range others {
		others[i] = *from[i+1].campaign
		all[i+1].campaign = &others[i]
	}
	r := q.more()
	r.heard, r.ready, r.passed = all, int32(ready), passed
	return all
}

// passed is where the turns of a priority stand.
func (q *line) passed(priority int32) uint64 { return passOf(q.rare.passed, priority) }

func passOf(passed []priorityPass, priority int32) uint64 {
	for _, p := range passed {
		if p.priority == priority {
			return p.pass
		}
	}
	return 0
}

// turn has a campaign have its turn, where it takes turns with others.
func (q *line) turn(c *campaign) {
	if !q.shared() {
		return
	}
	own := &q.rare.heard[c.at]
	q.rare.stand(c.priority, own.pass)
	own.pass++
}

// stand notes where the turns of a priority stand.
func (r *rare) stand(priority int32, pass uint64) {
	for i := range r.passed {
		if r.passed[i].priority == priority {
			r.passed[i].pass = pass
			return
		}
	}
	r.passed = append(r.passed, priorityPass{priority, pass})
}

// unturn takes a turn back from a campaign.
func (q *line) unturn(c *campaign) {
	if q.shared() && q.rare.heard[c.at].pass > 0 {
		q.rare.heard[c.at].pass--
	}
}

// sooner reports whether one campaign's turn comes before another's. Those that have
// had as many go as their first messages came.
func (c *contender) sooner(other *contender) bool {
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
	r := q.rare
	if c.at >= r.ready {
		return
	}
	i := int(c.at)
	if c.ready.first() != nil {
		q.sink(q.rise(i))
		return
	}
	r.ready--
	last := int(r.ready)
	q.swap(i, last)
	if i < last {
		q.sink(q.rise(i))
	}
}

// contend has a campaign that has a message which may go have turns, where there are any.
func (q *line) contend(c *campaign) {
	r := q.rare
	if r.heard == nil {
		return
	}
	if c.at >= r.ready {
		own := &r.heard[c.at]
		own.pass = max(own.pass, q.passed(c.priority))
		q.swap(int(c.at), int(r.ready))
		r.ready++
	}
	q.fix(c)
}

func (q *line) swap(i, j int) {
	all := q.rare.heard
	all[i], all[j] = all[j], all[i]
	all[i].at, all[j].at = int32(i), int32(j)
}

func (q *line) rise(i int) int {
	all := q.rare.heard
	for i > 0 {
		parent := (i - 1) / 2
		if !all[i].sooner(&all[parent]) {
			break
		}
		q.swap(i, parent)
		i = parent
	}
	return i
}

func (q *line) sink(i int) {
	turns := q.rare.heard[:q.rare.ready]
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(turns); child++ {
			if turns[child].sooner(&turns[least]) {
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
