package queue

import (
	"context"
	"encoding/base32"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wapace/wapace/internal/dice"
	"github.com/wapace/wapace/internal/mask"
	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

// Options tunes a [Queue]. A nil *Options means all defaults.
type Options struct {
	// Limiter decides when messages may go. Give one to share budgets with other
	// code; its policy should be the queue's. Default: a new one under the
	// queue's policy, with Seed.
	Limiter *limiter.Limiter

	// Clock is where the queue takes the time from and waits. Default:
	// [limiter.RealClock].
	Clock limiter.Clock

	// Seed decides everything that is drawn: pauses, typing times, IDs. Zero
	// means a secret seed, drawn afresh.
	Seed uint64

	// Typing says how long typing is shown where the sender is a [Typist].
	// Default: [DefaultTyping]. A pointer to the zero Typing shows none.
	Typing *Typing

	// Width is how many messages of one account may be on their way at once where
	// no Concurrency of the policy says so. Default 1; a negative Width is an
	// error.
	Width int

	// Workers is how many calls of the sender [Queue.Run] makes at once over all
	// accounts. Default 256; a negative Workers is an error.
	Workers int

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
	// which a message's happen, on the goroutine that made it. It must not call
	// Run, Step or Send. Default: nobody is called.
	OnEvent func(Event)

	// Logger is told what goes wrong, with numbers masked. Default: nobody is.
	Logger *slog.Logger
}

// An Event is one change of a message's status.
type Event struct {
	// Record is the message as it is now.
	Record Record

	// From is the status that it had before. It is empty for a new message.
	From Status

	// At is when it changed.
	At time.Time
}

// ErrOption is wrapped by every [OptionError].
var ErrOption = errors.New("queue: bad option")

// An OptionError says what is wrong with an argument of [New]. It wraps
// [ErrOption].
type OptionError struct {
	Field  string
	Value  string
	Remedy string
}

// Error names the field, the value and the remedy.
func (e *OptionError) Error() string {
	return fmt.Sprintf("queue: %s %s: %s", e.Field, e.Value, e.Remedy)
}

// Unwrap makes errors.Is(err, [ErrOption]) true.
func (e *OptionError) Unwrap() error { return ErrOption }

func optionError(field string, value any, remedy string) error {
	return &OptionError{field, fmt.Sprint(value), remedy}
}

// The errors of a queue that is used out of turn.
var (
	// ErrRunning says that Run or Step is at work on the queue already.
	ErrRunning = errors.New("queue: it runs already; call Run or Step from one place")

	// ErrStopped says that Run has returned. The queue takes and sends nothing
	// any more.
	ErrStopped = errors.New("queue: it has stopped; make a new one")
)

// A Queue keeps messages and sends each when its account may. All may use it at
// once, but only one at a time may call Run or Step.
type Queue struct {
	sender  Sender
	typist  Typist // nil where no typing is shown
	limiter *limiter.Limiter
	clock   limiter.Clock
	store   Store
	dice    dice.Dice
	ids     *base32.Encoding
	typed   Typing
	width   int
	options Options
	log     *slog.Logger

	wake  chan struct{} // a lane became due sooner, or a worker is done
	drive atomic.Bool   // Run or Step is at work
	ended chan struct{} // closed when Run returns

	mu      sync.Mutex
	lanes   map[string]*lane
	due     schedule
	seq     uint64
	stopped bool
}

// New returns a queue that sends through s at the pace of p. Errors: a nil sender,
// a policy that [policy.Policy.Validate] refuses, an option out of range.
func New(p policy.Policy, s Sender, o *Options) (*Queue, error) {
	if s == nil {
		return nil, optionError("sender", "nil", "give the function that delivers one message")
	}
	if f, ok := s.(SenderFunc); ok && f == nil {
		return nil, optionError("sender", "a nil SenderFunc", "give the function that delivers one message")
	}
	options, err := o.withDefaults(p)
	if err != nil {
		return nil, err
	}
	q := &Queue{
		sender:  s,
		limiter: options.Limiter,
		clock:   options.Clock,
		store:   newMemory(max(options.History, 0)),
		dice:    dice.New(options.Seed),
		ids:     idEncoding(),
		typed:   *options.Typing,
		width:   width(p, options.Width),
		options: options,
		log:     options.Logger,
		wake:    make(chan struct{}, 1),
		ended:   make(chan struct{}),
		lanes:   make(map[string]*lane),
	}
	if t, ok := s.(Typist); ok && q.typed.Max > 0 {
		q.typist = t
	}
	return q, nil
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
		l, err := limiter.New(p, &limiter.Options{Seed: d.Seed})
		if err != nil {
			return d, fmt.Errorf("queue: %w", err)
		}
		d.Limiter = l
	}
	if d.Clock == nil {
		d.Clock = limiter.RealClock()
	}
	if d.Typing == nil {
		t := DefaultTyping()
		d.Typing = &t
	}
	if err := d.Typing.problem(); err != nil {
		return d, err
	}
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
	}
	return d, nil
}

// width is how many messages of a lane may be on their way at once.
func width(p policy.Policy, otherwise int) int {
	least := int64(math.MaxInt32)
	for _, r := range p.Rules {
		if c, ok := r.Limit.(policy.Concurrency); ok && r.Covers(policy.SendMessage) {
			least = min(least, c.Max)
		}
	}
	if least == math.MaxInt32 {
		return otherwise
	}
	return max(int(least), 1)
}

// Enqueue takes a message in and returns its ID. The message is kept once Enqueue
// has returned nil. Errors name the field, the value and the remedy: a
// [*MessageError], an [*AddressError], a [*limiter.RequestError] for the account;
// [ErrStopped]. Nothing is kept then.
func (q *Queue) Enqueue(ctx context.Context, m Message) (id string, err error) {
	return q.enqueue(ctx, m, nil)
}

// Send enqueues a message and waits until it is done with, for Options.SendWait
// at most, and not after ctx is done or the queue has stopped. A record that is still queued or sending
// will go on; its ID says how to ask for it. The error is Enqueue's alone: how the
// send went is in the record. Somebody has to drive the queue meanwhile.
func (q *Queue) Send(ctx context.Context, m Message) (Record, error) {
	done := make(chan Record, 1)
	id, err := q.enqueue(ctx, m, done)
	if err != nil {
		return Record{}, err
	}
	if q.options.SendWait > 0 {
		select {
		case r := <-done:
			return r, nil
		case <-q.clock.After(q.options.SendWait):
		case <-q.ended:
		case <-ctx.Done():
		}
	}
	return q.Get(context.WithoutCancel(ctx), id)
}

// Get returns a message and what became of it. [ErrUnknownMessage] says that no
// message has the ID, or that it is forgotten; see Options.History.
func (q *Queue) Get(ctx context.Context, id string) (Record, error) {
	return q.store.Get(ctx, id)
}

// enqueue is Enqueue; done, if not nil, is sent the record once it is final.
func (q *Queue) enqueue(ctx context.Context, m Message, done chan<- Record) (id string, err error) {
	if err := context.Cause(ctx); err != nil {
		return "", fmt.Errorf("queue: enqueue: %w", err)
	}
	m = m.clone()
	if err := m.problem(); err != nil {
		return "", err
	}
	to, err := ParseAddress(m.To)
	if err != nil {
		return "", err
	}
	m.To = to.String()
	now := q.clock.Now()
	if d := q.limiter.Check(now, request(&m)); d.Rule == "request" {
		return "", fmt.Errorf("queue: %w", d.Err())
	}
	q.mu.Lock()
	stopped := q.stopped
	q.seq++
	seq := q.seq
	q.mu.Unlock()
	if stopped {
		return "", ErrStopped
	}
	m.ID = q.newID(now, seq)
	r := Record{Message: m, Status: Queued, Enqueued: now}
	if err := q.store.Add(ctx, r); err != nil {
		return "", fmt.Errorf("queue: enqueue: %w", err)
	}
	q.tell(r, "", now)
	q.admit(&item{record: r, seq: seq, finished: done}, now)
	return m.ID, nil
}

// request is what a message asks of the limiter.
func request(m *Message) limiter.Request {
	return limiter.Request{Account: m.Account, Action: policy.SendMessage}
}

// tell calls Options.OnEvent. It must not be called with q.mu held.
func (q *Queue) tell(r Record, from Status, at time.Time) {
	if q.options.OnEvent != nil {
		r.Message = r.clone()
		q.options.OnEvent(Event{Record: r, From: from, At: at})
	}
}

// complain logs what went wrong with a message.
func (q *Queue) complain(what string, r *Record, err error) {
	q.log.Error(what, "id", r.ID, "account", mask.Phone(r.Account), "to", mask.Phone(r.To), "error", mask.Text(err.Error()))
}
