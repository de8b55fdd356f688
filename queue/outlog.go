package queue

import "time"

// An outlog is the attempts of each account, in the order in which they began.
type outlog struct {
	accounts map[string][]Attempt
	keep     time.Duration
}

// change records what a change of a message's record means for its attempts.
func (o *outlog) change(from Status, r *Record) {
	attempts := o.accounts[r.Account]
	switch {
	case r.Status == Sending:
		attempts = o.prune(attempts, r.At)
		attempts = append(attempts, Attempt{ID: r.ID, Account: r.Account, To: r.To, Campaign: r.Campaign, At: r.At, Status: Sending})
	case from == Sending:
		for i := len(attempts) - 1; i >= 0; i-- {
			if a := &attempts[i]; a.ID == r.ID {
				a.Done, a.Status, a.To = r.Done, r.Status, r.To
				break
			}
		}
	}
	o.accounts[r.Account] = attempts
}

// prune drops attempts that ended too long before now. It looks at the oldest few.
func (o *outlog) prune(attempts []Attempt, now time.Time) []Attempt {
	n := 0
	for n < len(attempts) && n < 8 && !attempts[n].Done.IsZero() && now.Sub(attempts[n].Done) > o.keep {
		n++
	}
	clear(attempts[:n])
	return attempts[n:]
}

// after is the attempts that ended after since, or have not ended.
func (o *outlog) after(account string, since time.Time) (found []Attempt) {
	for _, a := range o.accounts[account] {
		if a.Done.IsZero() || a.Done.After(since) {
			found = append(found, a)
		}
	}
	return found
}
