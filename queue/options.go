package queue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"reflect"
	"time"

	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

// Options tunes a [Queue]. A nil *Options means all defaults.
type Options struct {
	// Limiter decides when messages may go. Give one to share budgets with other
	// code; its policy should be the queue's, and its permits should live longer
	// than the longest send or check. A message that waits for a permit of other code asks
	// again every second; what else others do to the limiter, [Queue.Refresh] has the
	// queue see. Default: a new limiter under the queue's policy, with
	// Seed, whose permits do not run out.
	Limiter *limiter.Limiter

	// Store keeps the messages and what their accounts have spent. What it has when
	// [New] is called is taken up: what waits goes on waiting, and what was on the
	// wire is in doubt. One queue at a time may use it: two would each send at the
	// whole pace, and the second would take what the first has on the wire to be in
	// doubt. Default: one of the queue's own, in memory, which keeps History.
	Store Store

	// Clock is where the queue takes the time from and waits. It is asked with locks
	// held: it must not call the queue, nor panic. A time outside the years 1678 to
	// 2261 is refused by the limiter, as is the message then. Default:
	// [limiter.RealClock].
	Clock limiter.Clock

	// Seed decides everything that is drawn: pauses, typing times, IDs. Zero
	// means a secret seed, drawn afresh.
	Seed uint64

	// Typing says how long typing is shown where the sender is a [Typist].
	// Default: [DefaultTyping]. A pointer to the zero Typing shows none.
	Typing *Typing

	// Verify says how long it is kept who is on WhatsApp, where the sender is a
	// [Verifier]. Nil: all defaults. One that is Off verifies nobody.
	Verify *Verify

	// Portfolio names the portfolio that an account belongs to, whose budget the
	// policy's rules of [policy.ScopePortfolio] draw on: all accounts of one share
	// it, as the numbers of a business portfolio share Meta's limit. It is needed
	// where the policy has such a rule, and asked when a message is taken in, by
	// several at once, for its account: it must return soon, and the last answer
	// counts for all that the account has waiting. An account that it has no name
	// for, the empty string, sends nothing: [Queue.Enqueue] says so. Default: none.
	Portfolio func(account string) string

	// Width is how many messages of one account may be on their way at once, a check
	// of a recipient among them, where no Concurrency of the policy says so. It is at
	// most Workers. Default 1; a negative Width is an error.
	Width int

	// Workers is how many calls of the sender [Queue.Run] makes at once over all
	// accounts. Default 256; a negative Workers is an error.
	Workers int

	// NewWireID makes the WireID of a message that has none, for wires that take
	// one. It is called once for each, by Enqueue, and must not return the same
	// twice. Default: they stay without.
	NewWireID func(m Message) string

	// KeepKeys is how long a message's Key is remembered. Default 24 h; a negative
	// KeepKeys is an error.
	KeepKeys time.Duration

	// KeepForUrgent is how much of each counted budget messages that are not
	// urgent leave over: with 20 of 500 a day, bulk stops at 480. Their checks, which
	// have a budget of their own, leave nothing over. Default 0; a negative
	// KeepForUrgent, or one that leaves nothing, is an error.
	KeepForUrgent int64

	// DayFull says what Enqueue does with a message once the account's budget of
	// the day is used up by what was sent and what waits. Default: [Defer].
	DayFull DayFull

	// MaxQueued is how many messages may wait at once, over all accounts; Enqueue
	// answers [ErrFull] to more. Default 0: as many as there is memory for. In the
	// store in memory one takes about 310 bytes beyond its text and payload, a million
	// 310 MB. A negative MaxQueued is an error.
	MaxQueued int

	// MaxAttempts is how often a message is put on the wire at most, where the
	// sender answers [Retry] or [Hold]. Default 5; a negative MaxAttempts is an
	// error.
	MaxAttempts int

	// Backoff is how long a message waits after an attempt that is to be repeated.
	// Default: [DefaultBackoff].
	Backoff *Backoff

	// SendTimeout is how long a call of Send, or of Verify, may take under
	// [Queue.Run]. Then its context is cancelled, and where it does not return
	// within a second its lane goes on without it: a message that was being sent is
	// in doubt, one that was being verified waits as after a check that failed. The
	// call keeps one of the Workers until it returns. Default 2 min; negative: for
	// ever.
	SendTimeout time.Duration

	// Ramp is how an account comes back where the sender is a [Connector], or
	// answered [Offline]. Default: [DefaultRamp]. A pointer to the zero Ramp has
	// none.
	Ramp *Ramp

	// SendWait is how long [Queue.Send] waits for a message to be done with.
	// Default 15 s; negative: not at all.
	SendWait time.Duration

	// StopWait is how long [Queue.Run] lets sends on the wire finish after its
	// context has ended, before it cancels theirs. Default 30 s; negative: not at
	// all.
	StopWait time.Duration

	// History is how many messages that are done with [Queue.Get] still knows.
	// Default 100,000; negative: none.
	History int

	// OnEvent is called for each change of a message's status, in the order in
	// which a message's happen, on the goroutine that made it. For different
	// messages it may be called at once. It must return soon, and must not call Run,
	// Step or Send; it may call all else, but a message that it is told is new
	// cannot be cancelled yet. A panic in it is logged and goes no further. Default:
	// nobody is called.
	OnEvent func(Event)

	// Logger is told what goes wrong, and what fails or is in doubt, as errors and
	// warnings; of holds; and of every other change of a message's status at the
	// level of debugging. Numbers are masked. A record at which its handler panics is
	// lost. Default: nobody is told.
	Logger *slog.Logger
}

// ErrOption is wrapped by every [OptionError].
var ErrOption = errors.New("queue: bad option")

// An OptionError says what is wrong with an argument that is not a message: one of
// [New] or [Wrap], a field of their options or of a [Filter], a nil context. It wraps
// [ErrOption].
type OptionError struct {
	Field  string // the field's name in lower case
	Value  string
	Remedy string // what to give instead
}

// Error names the field, the value and the remedy.
func (e *OptionError) Error() string {
	return fmt.Sprintf("queue: %s %s: %s", e.Field, e.Value, e.Remedy)
}

// Unwrap makes errors.Is(err, [ErrOption]) true.
func (e *OptionError) Unwrap() error { return ErrOption }

// given is what is wrong with a context.
func given(ctx context.Context) error {
	if ctx == nil {
		return optionError("context", "nil", "pass context.Background() where there is none")
	}
	return nil
}

func optionError(field string, value any, remedy string) error {
	return &OptionError{field, fmt.Sprint(value), remedy}
}

func (o *Options) withDefaults(p policy.Policy) (Options, error) {
	var d Options
	if o != nil {
		d = *o
	}
	if err := p.Validate(); err != nil {
		return d, fmt.Errorf("queue: %w", err)
	}
	if d.Limiter == nil {
		// The queue settles every permit itself, however long a send takes.
		l, err := limiter.New(p, &limiter.Options{Seed: d.Seed, PermitTTL: -1})
		if err != nil {
			return d, fmt.Errorf("queue: %w", err)
		}
		d.Limiter = l
	}
	if d.Clock == nil {
		d.Clock = limiter.RealClock()
	}
	if name, ok := isNil(d.Clock); ok {
		return d, optionError("clock", name, "give a clock, or leave it out for the real one")
	}
	if err := d.portfolioProblem(p); err != nil {
		return d, err
	}
	if err := d.keepProblem(); err != nil {
		return d, err
	}
	if d.Typing == nil {
		t := DefaultTyping()
		d.Typing = &t
	}
	if err := d.Typing.problem(); err != nil {
		return d, err
	}
	d.Verify = d.Verify.withDefaults()
	for _, count := range []struct {
		name     string
		n        *int
		standard int
	}{{"width", &d.Width, 1}, {"workers", &d.Workers, 256}} {
		if *count.n < 0 {
			return d, optionError(count.name, *count.n, "use 1 or more, or 0 for the default")
		}
		if *count.n == 0 {
			*count.n = count.standard
		}
	}
	if d.Backoff == nil {
		b := DefaultBackoff()
		d.Backoff = &b
	}
	if err := d.Backoff.problem(); err != nil {
		return d, err
	}
	if d.Ramp == nil {
		r := DefaultRamp()
		d.Ramp = &r
	}
	if err := d.Ramp.problem(); err != nil {
		return d, err
	}
	if err := d.limitsProblem(); err != nil {
		return d, err
	}
	if d.KeepKeys == 0 {
		d.KeepKeys = 24 * time.Hour
	}
	if d.MaxAttempts == 0 {
		d.MaxAttempts = 5
	}
	if d.SendTimeout == 0 {
		d.SendTimeout = 2 * time.Minute
	}
	if d.SendWait == 0 {
		d.SendWait = 15 * time.Second
	}
	if d.StopWait == 0 {
		d.StopWait = 30 * time.Second
	}
	if d.History == 0 {
		d.History = 100_000
	}
	if d.Logger == nil {
		d.Logger = slog.New(slog.DiscardHandler)
	} else {
		d.Logger = slog.New(quietly{d.Logger.Handler()})
	}
	if d.Store == nil {
		d.Store = newMemory(max(d.History, 0))
	} else {
		d.Store = guarded{d.Store, d.Logger}
	}
	return d, nil
}

// limitsProblem is what is wrong with how much is taken in and tried.
func (o *Options) limitsProblem() error {
	switch {
	case o.KeepKeys < 0:
		return optionError("keep keys", o.KeepKeys, "use a time, or 0 for the default")
	case o.MaxQueued < 0:
		return optionError("max queued", o.MaxQueued, "use 1 or more, or 0 for no bound")
	case o.MaxAttempts < 0:
		return optionError("max attempts", o.MaxAttempts, "use 1 or more, or 0 for the default")
	}
	switch o.DayFull {
	case "", Defer, Reject:
	default:
		return optionError("day full", quoted(string(o.DayFull)), `use "defer" or "reject"`)
	}
	if o.Store != nil {
		if name, ok := isNil(o.Store); ok {
			return optionError("store", name, "give a store, or leave it out for memory")
		}
	}
	return nil
}

// keepProblem is what is wrong with what is kept for urgent messages.
func (o *Options) keepProblem() error {
	if o.KeepForUrgent < 0 {
		return optionError("keep for urgent", o.KeepForUrgent, "use 0 or more")
	}
	probe := limiter.Request{Account: "probe", Action: policy.SendMessage, Recipient: "probe", Portfolio: "probe", NewContact: true}
	now := o.Clock.Now()
	if o.KeepForUrgent == 0 || o.Limiter.Check(now, probe).Answer == limiter.Never {
		return nil
	}
	probe.Keep = o.KeepForUrgent
	if d := o.Limiter.Check(now, probe); d.Answer == limiter.Never {
		return optionError("keep for urgent", o.KeepForUrgent, fmt.Sprintf("rule %q gives %d in all; keep less", d.Rule, d.Limit))
	}
	return nil
}

// isNil reports whether v, which is not the nil interface, holds nothing that
// could be called, and names it.
func isNil(v any) (name string, ok bool) {
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.Pointer, reflect.Func, reflect.Map, reflect.Chan:
		return "a nil " + r.Type().String(), r.IsNil()
	default:
		return "", false
	}
}

// width is how many messages of a lane may be on their way at once: what the policy
// says, or else the options.
func width(p policy.Policy, o *Options) int {
	least, found := int64(math.MaxInt64), false
	for _, r := range p.Rules {
		if r.Shadow || r.Scope == policy.ScopeRecipient {
			continue // it does not bound the lane
		}
		if c, ok := r.Limit.(policy.Concurrency); ok && r.Covers(policy.SendMessage) {
			least, found = min(least, c.Max), true
		}
	}
	if !found {
		least = int64(o.Width)
	}
	return int(min(max(least, 1), int64(o.Workers)))
}
