package queue

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

// An origin is what the user's code says of where a message comes from: whether its
// recipient is a new contact, and whose budget its account shares.
type origin struct {
	contact   bool
	portfolio string
}

// originOf asks for the origin of a message. An error says that the limiter can never
// tell what it is to take the message from.
func (q *Queue) originOf(ctx context.Context, m *Message, now time.Time) (o origin, err error) {
	o.portfolio = q.portfolioOf(m.Account)
	if err := q.askable(m, o.portfolio, now); err != nil {
		return o, err
	}
	o.contact = q.firstContact(ctx, m)
	return o, nil
}

// portfolioOf is the portfolio of an account, empty where nobody says.
func (q *Queue) portfolioOf(account string) (name string) {
	if q.options.Portfolio == nil {
		return ""
	}
	defer q.rescue("nobody says what the account's portfolio is", subject{account: account})
	return q.options.Portfolio(account)
}

// askable is an error where the limiter can answer no request for a message.
func (q *Queue) askable(m *Message, portfolio string, now time.Time) error {
	req := request(m)
	req.Portfolio, req.NewContact = portfolio, true // whether it is one or not
	d := q.limiter.Check(now, req)
	if d.Rule != "request" {
		return nil
	}
	err := d.Err()
	if bad := (*limiter.RequestError)(nil); errors.As(err, &bad) && bad.Field == "portfolio" {
		return fmt.Errorf("queue: of Options.Portfolio: %w", err)
	}
	return fmt.Errorf("queue: %w", err)
}

// sharing is the rules of a policy that accounts of one portfolio share.
func sharing(p policy.Policy) []policy.Rule {
	return slices.DeleteFunc(slices.Clone(p.Rules), func(r policy.Rule) bool { return r.Scope != policy.ScopePortfolio })
}

// portfolioProblem is for a policy that asks for portfolios of a queue that has none.
func (o *Options) portfolioProblem(p policy.Policy) error {
	if o.Portfolio != nil {
		return nil
	}
	for _, r := range sharing(p) {
		if !r.Shadow && (r.Covers(policy.SendMessage) || r.Covers(policy.CheckNumber)) {
			return optionError("portfolio", "nil", fmt.Sprintf("rule %q counts by portfolio: give the function that says which one an account belongs to", r.Name))
		}
	}
	return nil
}

// families are the accounts of each portfolio that have a lane, where a queue that
// rejects what a day has no room for has to count what waits.
type families struct {
	mu      sync.Mutex
	members map[string]map[string]struct{}
}

// of is the accounts of a portfolio.
func (f *families) of(portfolio string) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Collect(maps.Keys(f.members[portfolio]))
}

// join makes an account one of a portfolio.
func (f *families) join(portfolio, account string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.members == nil {
		f.members = make(map[string]map[string]struct{})
	}
	if f.members[portfolio] == nil {
		f.members[portfolio] = make(map[string]struct{})
	}
	f.members[portfolio][account] = struct{}{}
}

// leave makes an account one of a portfolio no more.
func (f *families) leave(portfolio, account string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if delete(f.members[portfolio], account); len(f.members[portfolio]) == 0 {
		delete(f.members, portfolio)
	}
}

// belongs notes the portfolio of a lane's account. It requires the shard's lock.
func (q *Queue) belongs(l *lane, portfolio string) {
	if portfolio == l.portfolio {
		return
	}
	if q.shares && q.options.DayFull == Reject {
		if l.portfolio != "" {
			q.families.leave(l.portfolio, l.account)
		}
		if portfolio != "" {
			q.families.join(portfolio, l.account)
		}
	}
	l.own().portfolio = portfolio
}
