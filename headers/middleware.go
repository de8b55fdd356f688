package headers

import (
	"net/http"
	"slices"
	"time"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

// Options tunes a [Middleware]. A nil *Options means all defaults.
type Options struct {
	// Print says which fields are printed. Nil: those of PrintOptions's default.
	Print *PrintOptions

	// Policies are those besides the limiter's own that accounts may be put under
	// with [limiter.Limiter.SetPolicy]. Nothing is printed of a rule that is in
	// none of them.
	Policies []policy.Policy

	// Partition is printed with the RateLimit fields and tells apart those who have
	// a budget each. Everybody on the way can read it. Nil: none is printed.
	Partition func(*http.Request, limiter.Request) []byte

	// Body is how the body of a refusal is written. Default: [ProblemBody].
	Body Body

	// Suspend stops accounts that keep hitting their limit. The zero Suspend stops
	// nobody.
	Suspend Suspend

	// Reject answers a request that the caller's function made an error of: it is
	// not let through, and nothing of a limit is told. Default: status 400 with the
	// error's words.
	Reject func(http.ResponseWriter, *http.Request, error)

	// Clock is where the time is taken from. One that is given also sets the Date
	// of answers, so that times in them agree. Default: [limiter.RealClock].
	Clock limiter.Clock
}

// Middleware returns what puts a limiter in front of a handler. who says which
// request of the limiter an HTTP request is; where it cannot, it must answer an
// error, and never the same account for all. See [Action] for endpoints, and the
// key functions of this package for accounts.
//
// A request that the limiter allows goes to the handler, with the fields that say
// how the limits stand in the answer's header. Its permit is settled as sent when
// the handler has returned or panicked, so that [policy.Concurrency] counts
// requests in progress, for as long as Options.PermitTTL of the limiter lets a permit
// live. The handler is given the http.ResponseWriter as it is, and
// can flush, hijack and upgrade; only where nothing is left and [Draft11] is
// printed is it one that can take the RateLimit field off a redirect, which a
// client would otherwise not follow. That one has the methods Flush, FlushError, Hijack,
// ReadFrom and Unwrap.
//
// A request that is refused is answered here: with 429; with 503 where there is no
// room for a new account; with 403 where no waiting helps; with 400 where what who
// answered is no request, as of an account that is too long. Where waiting helps
// there is a Retry-After, after which it will be allowed unless others take what
// has become free.
//
// Middlewares can be nested: see [Printer.Print]. Errors: a nil limiter or who, an
// option that cannot be, a policy with a name that cannot be printed.
func Middleware(l *limiter.Limiter, who func(*http.Request) (limiter.Request, error), o *Options) (func(http.Handler) http.Handler, error) {
	g, err := newGuard(l, who, o)
	if err != nil {
		return nil, err
	}
	return func(next http.Handler) http.Handler {
		guard := *g
		guard.next = next
		return &guard
	}, nil
}

// A guard stands before a handler.
type guard struct {
	limiter *limiter.Limiter
	who     func(*http.Request) (limiter.Request, error)
	options Options
	printer *Printer
	lists   bool // whether it prints the rules beside the one that binds
	dates   bool // whether it prints the date
	strikes *strikes
	next    http.Handler
}

func newGuard(l *limiter.Limiter, who func(*http.Request) (limiter.Request, error), o *Options) (*guard, error) {
	g := &guard{limiter: l, who: who}
	if o != nil {
		g.options = *o
	}
	switch {
	case l == nil:
		return nil, optionError("limiter", "nil", "make one with limiter.New")
	case who == nil:
		return nil, optionError("who", "nil", "give a function that says whose request it is")
	}
	if g.options.Body == 0 {
		g.options.Body = ProblemBody
	}
	if g.options.Body > GatewayBody {
		return nil, optionError("body", uint8(g.options.Body), "use one of the Body constants")
	}
	g.dates = g.options.Clock != nil
	if !g.dates {
		g.options.Clock = limiter.RealClock()
	}
	if g.options.Reject == nil {
		g.options.Reject = reject
	}
	var err error
	policies := append([]policy.Policy{l.PolicyOf("")}, g.options.Policies...)
	if g.printer, err = NewPrinter(Quotas(policies...), g.options.Print); err != nil {
		return nil, err
	}
	g.lists = g.options.Print == nil || len(g.options.Print.Dialects) == 0 || slices.Contains(g.options.Print.Dialects, Draft11)
	g.strikes, err = newStrikes(g.options.Suspend, l)
	return g, err
}

func reject(w http.ResponseWriter, _ *http.Request, err error) {
	http.Error(w, err.Error(), http.StatusBadRequest)
}

// ServeHTTP asks the limiter and answers, or lets the handler answer.
func (g *guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	req, err := g.who(r)
	if err != nil {
		g.options.Reject(w, r, err)
		return
	}
	now := g.options.Clock.Now()
	var gates []limiter.Gate
	if g.lists {
		gates = g.limiter.Gates(now, req)
	}
	permit, d := g.limiter.Take(now, req)
	if d.Answer != limiter.Allowed {
		g.refuse(w, r, now, req, d)
		return
	}
	defer g.settle(permit)
	s := State{Decision: d, Gates: gates}
	g.print(w.Header(), r, now, req, &s)
	if g.lists && d.Remaining == 0 {
		w = &redirectWriter{ResponseWriter: w}
	}
	g.next.ServeHTTP(w, r)
}

func (g *guard) settle(p limiter.Permit) { p.Settle(g.options.Clock.Now(), limiter.Sent) }

// print prints the state, and the date where the clock is not everybody's.
func (g *guard) print(h http.Header, r *http.Request, now time.Time, req limiter.Request, s *State) {
	if g.options.Partition != nil {
		s.Partition = g.options.Partition(r, req)
	}
	if g.dates {
		h.Set("Date", now.UTC().Format(http.TimeFormat))
	}
	g.printer.Print(h, now, *s)
}

// refuse answers a request that was refused.
func (g *guard) refuse(w http.ResponseWriter, r *http.Request, now time.Time, req limiter.Request, d limiter.Decision) {
	var gates []limiter.Gate
	if g.lists || g.strikes != nil || g.options.Body == ProblemBody {
		gates = g.limiter.Gates(now, req)
	}
	if g.strikes.strike(now, req.Account, d, gates) {
		d, gates = g.limiter.Check(now, req), g.limiter.Gates(now, req)
	}
	s := State{Decision: d}
	if g.lists {
		s.Gates = gates
	}
	g.print(w.Header(), r, now, req, &s)
	f := denial{decision: d, gates: gates}
	if g.options.Body == GatewayBody {
		f.daily = isDaily(g.limiter.PolicyOf(req.Account), d.Rule)
	}
	f.write(w, r, g.options.Body)
}
