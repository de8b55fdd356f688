package headers

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/wapace/wapace/internal/dice"
	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

// TransportOptions tunes a [Transport]. A nil *TransportOptions means all
// defaults. A negative number or duration is an error where nothing else is said.
type TransportOptions struct {
	// Pace is how fast requests of one key go, whatever the server allows. What it
	// advises only ever slows them: what is left is spread over the time until
	// there is more, a minute at most. The zero bucket sets no pace; requests then
	// wait only where the server says that nothing is left.
	Pace policy.TokenBucket

	// Key says whose budget at the server a request spends; requests to one server
	// with one key wait for each other. Give one that tells endpoints apart where
	// the server limits them apart, or a spent endpoint stops the others, and one
	// that knows the credential where requests prove themselves in another way.
	// Default: the fields Authorization and X-API-Key. It must not change the
	// request. Keys are hashed and not kept.
	Key func(*http.Request) string

	// MaxKeys is how many servers and keys are told apart. All above that share one
	// state until an old one is of no use any more. Default 1,024.
	MaxKeys int

	// Tries is how often a request is sent, the first time included. Default 5.
	Tries int

	// Backoff is the wait before the second try where the server does not say how
	// long. It doubles with every try, up to MaxBackoff. Default 1 s.
	Backoff time.Duration

	// MaxBackoff is the longest wait where the server does not say how long.
	// Default 60 s.
	MaxBackoff time.Duration

	// MaxWait is the longest single wait. A longer one is a [WaitTooLongError].
	// Default 1 h.
	MaxWait time.Duration

	// Budget is how long a request waits in all, its turns of the pace included.
	// What goes beyond that is a [WaitTooLongError]. Default: MaxWait.
	Budget time.Duration

	// Jitter is the most by which a wait that the server asked for is made longer,
	// at random, so that all who were refused at once do not come back at once.
	// It is never more than the wait itself. Default 1 s; negative: not at all.
	Jitter time.Duration

	// Reset says what a number in X-RateLimit-Reset is. The zero ResetForm guesses.
	Reset ResetForm

	// Seed decides the jitter. Zero means a secret seed, drawn afresh.
	Seed uint64

	// Clock is where the transport takes the time from and waits. Deadlines are
	// the real clock's. Default: [limiter.RealClock].
	Clock limiter.Clock
}

// A Transport is an [http.RoundTripper] that does what a server's rate limit asks
// for. It keeps a request back while the pace or an earlier answer of the server
// says that it has to wait, and sends it again where it was limited.
//
// What is sent again: answers with status 429 and others that [Parse] takes for
// limited, whatever the method, because the server has refused to act on them; a
// 503 only where the method is idempotent or the request has an Idempotency-Key.
// A request with a body is sent again only if it has a GetBody. The last answer is
// returned as it is, so check its status.
//
// The advice of an answer from a cache, and of a redirect, is ignored. Where the
// wait would reach past the deadline of the request's context, it is not begun:
// the error is a [*WaitTooLongError].
//
// A Transport starts no goroutine. All may use it at once. It does not change the
// requests that it is given.
type Transport struct {
	base    http.RoundTripper
	options TransportOptions
	parse   ParseOptions
	origins *origins
	dice    dice.Account
	draws   atomic.Uint64
}

// NewTransport returns a transport that sends through base, where nil is
// [http.DefaultTransport]. The error joins an [*OptionError] for each option that
// cannot be.
func NewTransport(base http.RoundTripper, o *TransportOptions) (*Transport, error) {
	options, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	if base == nil {
		base = http.DefaultTransport
	}
	pace := func() *rate.Limiter { return nil }
	if options.Pace != (policy.TokenBucket{}) {
		pace = options.Pace.Limiter
	}
	return &Transport{
		base:    base,
		options: options,
		parse:   ParseOptions{MaxWait: max(options.MaxWait, 24*time.Hour), Reset: options.Reset},
		origins: newOrigins(options.MaxKeys, pace),
		dice:    dice.New(options.Seed).Account("transport"),
	}, nil
}

// CloseIdleConnections closes those of the base, where it can.
func (t *Transport) CloseIdleConnections() {
	if c, ok := t.base.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

func (o *TransportOptions) withDefaults() (TransportOptions, error) {
	var d TransportOptions
	if o != nil {
		d = *o
	}
	var errs []error
	for _, n := range []struct {
		field    string
		n        *int
		standard int
	}{{"maxkeys", &d.MaxKeys, 1024}, {"tries", &d.Tries, 5}} {
		if *n.n < 0 {
			errs = append(errs, optionError(n.field, *n.n, "use 1 or more, or 0 for the default"))
		}
		if *n.n == 0 {
			*n.n = n.standard
		}
	}
	if d.MaxWait == 0 {
		d.MaxWait = time.Hour
	}
	for _, n := range []struct {
		field    string
		d        *time.Duration
		standard time.Duration
	}{
		{"backoff", &d.Backoff, time.Second},
		{"maxbackoff", &d.MaxBackoff, time.Minute},
		{"maxwait", &d.MaxWait, 0},
		{"budget", &d.Budget, d.MaxWait},
	} {
		if *n.d < 0 {
			errs = append(errs, optionError(n.field, *n.d, "use a positive duration, or 0 for the default"))
		}
		if *n.d == 0 {
			*n.d = n.standard
		}
	}
	if d.Jitter == 0 {
		d.Jitter = time.Second
	}
	if d.Reset > ResetDeltaMillis {
		errs = append(errs, optionError("reset", uint8(d.Reset), "use one of the Reset constants"))
	}
	if d.Pace != (policy.TokenBucket{}) {
		rule := policy.Rule{Name: "pace", Limit: d.Pace}
		if err := (policy.Policy{Rules: []policy.Rule{rule}}).Validate(); err != nil {
			errs = append(errs, err)
		}
	}
	if d.Key == nil {
		d.Key = credential
	}
	if d.Clock == nil {
		d.Clock = limiter.RealClock()
	}
	return d, errors.Join(errs...)
}

// RoundTrip sends a request once its turn has come, and again as long as the server
// limits it. The error is that of the base, a [*WaitTooLongError], or the cause
// with which the request's context has ended.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL == nil {
		return t.base.RoundTrip(r) // which knows best what to say
	}
	ctx := r.Context()
	o := t.origins.use(t.origins.key(r, t.options.Key(r)), t.options.Clock.Now())
	defer t.origins.done(o)
	p := patience{longest: t.options.MaxWait, budget: t.options.Budget}
	for try := 1; ; try++ {
		if err := t.turn(ctx, o, &p); err != nil {
			if try == 1 && r.Body != nil {
				_ = r.Body.Close()
			}
			return nil, err
		}
		resp, wait, err := t.try(r, o, try)
		if err != nil || wait == 0 {
			return resp, err
		}
		p.status = resp.StatusCode
		discard(resp.Body)
		if err := p.check(ctx, wait); err != nil {
			return nil, err
		}
		if err := t.wait(ctx, &p, wait); err != nil {
			return nil, err
		}
	}
}

// turn waits until the origin lets the request go.
func (t *Transport) turn(ctx context.Context, o *origin, p *patience) error {
	now := t.options.Clock.Now()
	if turn, wait := o.reserve(now); wait > 0 {
		err := p.check(ctx, wait)
		if err == nil {
			err = t.sleep(ctx, p, wait, nil)
		}
		if err != nil {
			turn.CancelAt(t.options.Clock.Now())
			return err
		}
	}
	for {
		ok, wait, changed := o.enter(t.options.Clock.Now())
		if ok {
			return nil
		}
		if changed != nil { // an answer that is under way may let it go sooner
			if err := t.await(ctx, p, wait, changed); err != nil {
				return err
			}
			continue
		}
		if err := p.check(ctx, wait); err != nil {
			return err
		}
		if err := t.wait(ctx, p, wait); err != nil {
			return err
		}
	}
}

// try sends a request that has been let go. It is to be sent again after a wait that
// is not 0; the answer's body is then of no use any more.
func (t *Transport) try(r *http.Request, o *origin, try int) (resp *http.Response, wait time.Duration, err error) {
	var b bound
	defer func() { o.answered(t.options.Clock.Now(), b) }()
	if try > 1 {
		if r, err = replay(r); err != nil {
			return nil, 0, err
		}
	}
	if resp, err = t.base.RoundTrip(r); err != nil || resp == nil {
		return nil, 0, err
	}
	var limited bool
	b, wait, limited = t.read(resp)
	if wait == 0 {
		wait = t.backoff(try)
	}
	if limited {
		b.wait = wait
	}
	if try == t.options.Tries || !repeats(r, resp.StatusCode, limited) {
		return resp, 0, nil
	}
	return resp, wait, nil
}

// backoff is the wait after a try where the server does not say how long.
func (t *Transport) backoff(try int) time.Duration {
	wait := t.options.Backoff
	for ; try > 1 && wait < t.options.MaxBackoff; try-- {
		wait *= 2
	}
	return min(wait, t.options.MaxBackoff)
}

// wait sleeps as long as the server asks for and a little longer, within what the
// request can wait.
func (t *Transport) wait(ctx context.Context, p *patience, wait time.Duration) error {
	if t.options.Jitter > 0 {
		most := min(t.options.Jitter, wait, (p.left(ctx)-wait)/2)
		wait += t.dice.Between(0, most, jitter, t.draws.Add(1))
	}
	return t.sleep(ctx, p, wait, nil)
}

// await sleeps until something changes, but no longer than wait, where that is not
// 0, and than the request can wait.
func (t *Transport) await(ctx context.Context, p *patience, wait time.Duration, changed <-chan struct{}) error {
	left := p.left(ctx)
	if left == 0 {
		return p.tooLong(wait, left)
	}
	if wait > 0 {
		left = min(left, wait)
	}
	return t.sleep(ctx, p, left, changed)
}

// jitter is what the jitter is drawn as: "jitter" as a number.
const jitter = 0x6a6974746572

// sleep waits on the transport's clock, or until something changes.
func (t *Transport) sleep(ctx context.Context, p *patience, wait time.Duration, changed <-chan struct{}) error {
	clock := t.options.Clock
	began := clock.Now()
	select {
	case <-clock.After(wait):
	case <-changed:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	p.budget -= max(clock.Now().Sub(began), 0)
	return nil
}
