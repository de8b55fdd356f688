package headers

import (
	"fmt"
	"time"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

// A Suspend stops accounts that keep hitting their limit: After refusals in any
// Within, the account is held for For. The refusals of a hold do not count; those
// from before it do until they are older than Within, so that one who goes on as
// before is held again at once. The zero Suspend stops nobody.
//
// wasenderapi.com and the plans' documentation threaten with it and name no
// numbers; 10 in 5 min for 15 min would be a mild one.
type Suspend struct {
	After  int64         // how many refusals; at least 1
	Within time.Duration // in what time
	For    time.Duration // how long the account is then held
}

// maxOffenders is how many accounts strikes are kept of. When it is reached, new
// ones go uncounted until old strikes have aged; all are still limited.
const maxOffenders = 100_000

// strikes counts refusals and holds who has had too many. A nil *strikes counts
// nothing.
type strikes struct {
	suspend Suspend
	count   *limiter.Limiter // allows one fewer than After
	held    *limiter.Limiter
}

func newStrikes(s Suspend, held *limiter.Limiter) (*strikes, error) {
	if s == (Suspend{}) {
		return nil, nil
	}
	switch {
	case s.After < 1:
		return nil, optionError("suspend.after", s.After, "use 1 or more refusals")
	case s.Within <= 0:
		return nil, optionError("suspend.within", s.Within, "use a positive duration")
	case s.For <= 0:
		return nil, optionError("suspend.for", s.For, "use a positive duration")
	}
	count, err := limiter.New(policy.Policy{Rules: []policy.Rule{{
		Name:  "strikes",
		Limit: policy.SlidingWindow{Max: s.After - 1, Window: s.Within},
	}}}, &limiter.Options{MaxAccounts: maxOffenders})
	if err != nil {
		return nil, fmt.Errorf("headers: suspend: %w", err)
	}
	return &strikes{s, count, held}, nil
}

// strike counts a refusal of an account by some of the gates, and reports whether it
// is now held.
func (s *strikes) strike(now time.Time, account string, d limiter.Decision, gates []limiter.Gate) bool {
	if s == nil || d.Answer == limiter.Never || d.Rule == "capacity" {
		return false
	}
	for _, g := range gates {
		if g.Rule == "hold" && g.Answer != limiter.Allowed {
			return false
		}
	}
	d = s.count.Allow(now, limiter.Request{Account: account, Action: "strike"})
	if d.Answer == limiter.Allowed || d.Rule != "strikes" {
		return false
	}
	reason := fmt.Sprintf("refused %d times within %v", s.suspend.After, s.suspend.Within)
	return s.held.Hold(now, limiter.Target{Account: account}, now.Add(s.suspend.For), reason) == nil
}
