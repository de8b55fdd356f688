package queue

import (
	"context"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wapace/wapace/internal/dice"
	"github.com/wapace/wapace/internal/mask"
	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
)

// The errors of a queue that is used out of turn.
var (
	// ErrRunning says that Run or Step is at work on the queue already.
	ErrRunning = errors.New("queue: it runs already; call Run or Step from one place")

	// ErrFull says that as many messages wait as Options.MaxQueued allows. The new
	// one is not kept.
	ErrFull = errors.New("queue: it is full")

	// ErrStopped says that Run was told to stop. The queue takes and sends nothing
	// any more.
	ErrStopped = errors.New("queue: it has stopped; make a new one")
)

// A Queue keeps messages and sends each when its account may. All may use it at
// once, but only one at a time may call Run or Step.
type Queue struct {
	sender    Sender
	typist    Typist        // nil where no typing is shown
	verifier  Verifier      // nil where nobody is verified
	connector Connector     // nil where all are connected
	contacts  Contacts      // nil where nobody is new
	news      <-chan string // of the connector; those who drive the queue read it
	limiter   *limiter.Limiter
	clock     limiter.Clock
	store     Store
	dice      dice.Dice
	ids       *base32.Encoding
	width     int
	shares    bool // the policy has rules for portfolios
	options   Options
	log       *slog.Logger

	crew    atomic.Pointer[crew] // of the Run that is at work, or nil
	alarm   atomic.Int64         // when Run looks of its own accord
	wake    chan struct{}        // has it look before
	drive   atomic.Bool          // Run or Step is at work
	ended   chan struct{}        // closed when Run returns
	stopped atomic.Bool

	epoch    time.Time
	latest   atomic.Int64  // the latest tick at which lanes were looked at
	seq      atomic.Uint64 // of the last message
	tickets  tickets       // of lanes that are scheduled
	answers  *answers
	families families
	strays   strays
	hash     maphash.Seed
	shards   [shardCount]shard

	durable bool          // the store outlives the queue
	paces   atomic.Uint64 // the version of the last one
	waiting atomic.Int64  // how many messages are not done with
	waiters waiters
	counts  counts
	blanks  sync.Pool // of records that a worker is done with
}

// New returns a queue that sends through s at the pace of p. Errors: a nil sender,
// a policy that [policy.Policy.Validate] refuses, an option out of range, an
// Options.Store that cannot be taken up.
func New(p policy.Policy, s Sender, o *Options) (*Queue, error) {
	if s == nil {
		return nil, optionError("sender", "nil", "give the function that delivers one message")
	}
	if name, ok := isNil(s); ok {
		return nil, optionError("sender", name, "give the function that delivers one message")
	}
	options, err := o.withDefaults(p)
	if err != nil {
		return nil, err
	}
	now := options.Clock.Now()
	q := &Queue{
		sender:  s,
		limiter: options.Limiter,
		clock:   options.Clock,
		store:   options.Store,
		dice:    dice.New(options.Seed),
		ids:     idEncoding(),
		width:   width(p, &options),
		shares:  len(sharing(p)) > 0,
		options: options,
		log:     options.Logger,
		wake:    make(chan struct{}, 1),
		ended:   make(chan struct{}),
		epoch:   epochOf(now),
		answers: newAnswers(options.Verify),
		hash:    maphash.MakeSeed(),
	}
	q.latest.Store(q.tick(now))
	q.openShards()
	if t, ok := s.(Typist); ok && options.Typing.Max > 0 {
		q.typist = t
	}
	if v, ok := s.(Verifier); ok && !options.Verify.Off {
		q.verifier = v
	}
	if c, ok := s.(Connector); ok {
		q.connector, q.news = c, c.Reconnected()
	}
	q.contacts, _ = s.(Contacts)
	if o != nil && o.Store != nil {
		q.durable = true
		if _, err := json.Marshal(p); err != nil {
			return nil, fmt.Errorf("queue: what is spent cannot be stored: %w", err)
		}
		if err := q.load(context.Background(), p); err != nil {
			return nil, err
		}
	}
	return q, nil
}

// Enqueue takes a message in and returns its ID. The message is kept once Enqueue
// has returned nil. Errors name the field, the value and the remedy: a
// [*MessageError], also for one that cannot be sent before it expires, an
// [*AddressError], a [*limiter.RequestError] for the account or its portfolio, an
// [*OptionError] for a nil context; a [*DayFullError], [ErrFull], [ErrStopped]. Nothing
// is kept then. Any other is the store's, and leaves open whether the message was
// kept: give it a Key, and repeat. One that was kept goes out all the same: the queue
// looks for it when the store has kept another message, and the next queue takes it
// up. The message's data is copied.
func (q *Queue) Enqueue(ctx context.Context, m Message) (id string, err error) {
	r, err := q.enqueue(ctx, m, nil)
	if err != nil {
		return "", err
	}
	return r.ID, nil
}

// Send enqueues a message and waits until it is done with: for Options.SendWait
// at most, and not after ctx is done or the queue has stopped. A record that is
// still queued or sending will go on; its ID says how to ask for it. The error is
// Enqueue's alone: how the send went is in the record. Somebody has to drive the
// queue meanwhile.
func (q *Queue) Send(ctx context.Context, m Message) (Record, error) {
	done := make(chan Record, 1)
	queued, err := q.enqueue(ctx, m, done)
	if err != nil {
		return Record{}, err
	}
	defer q.waiters.leave(queued.ID, done)
	if q.options.SendWait > 0 {
		select {
		case r := <-done:
			return r, nil
		case <-q.clock.After(q.options.SendWait):
		case <-q.ended:
		case <-ctx.Done():
		}
	}
	r, err := q.store.Get(context.WithoutCancel(ctx), queued.ID)
	if err == nil {
		return r, nil
	}
	select {
	case r := <-done: // and forgotten since
		return r, nil
	default:
		return *queued, nil
	}
}

// Get returns a message and what became of it. [ErrUnknownMessage] says that no
// message has the ID, or that it is forgotten; see Options.History.
func (q *Queue) Get(ctx context.Context, id string) (Record, error) {
	if err := given(ctx); err != nil {
		return Record{}, err
	}
	return q.store.Get(ctx, id)
}

// enqueue is Enqueue; done, if not nil, is sent the record once it is final.
func (q *Queue) enqueue(ctx context.Context, m Message, done chan<- Record) (*Record, error) {
	if err := given(ctx); err != nil {
		return nil, err
	}
	if err := context.Cause(ctx); err != nil {
		return nil, fmt.Errorf("queue: enqueue: %w", err)
	}
	now := q.clock.Now()
	if err := m.problem(now); err != nil {
		return q.unlessRepeated(ctx, &m, done, err, now)
	}
	to, err := ParseAddress(m.To)
	if err != nil {
		return nil, err
	}
	m = m.clone()
	m.To = to.String()
	if m.WireID == "" && q.options.NewWireID != nil {
		m.WireID = q.options.NewWireID(m.clone())
		if err := nameProblem("wire id", m.WireID); err != nil {
			return nil, fmt.Errorf("queue: of Options.NewWireID: %w", err)
		}
	}
	if err := m.doubtProblem(); err != nil {
		return nil, err
	}
	if q.stopped.Load() {
		return nil, ErrStopped
	}
	from, err := q.originOf(ctx, &m, now)
	if err != nil {
		return q.unlessRepeated(ctx, &m, done, err, now)
	}
	if err := q.foretell(&m, from, now); err != nil {
		return q.unlessRepeated(ctx, &m, done, err, now)
	}
	if q.waiting.Add(1) > int64(q.options.MaxQueued) && q.options.MaxQueued > 0 {
		q.waiting.Add(-1)
		err := fmt.Errorf("%w: %d messages wait; try again later, or raise Options.MaxQueued", ErrFull, q.options.MaxQueued)
		return q.unlessRepeated(ctx, &m, done, err, now)
	}
	seq := q.seq.Add(1)
	m.ID = q.newID(now, seq)
	if done != nil {
		q.waiters.join(m.ID, done)
	}
	r := &Record{Message: m, Status: Queued, Enqueued: now, Order: seq, Version: 1}
	if r.Key != "" {
		q.enter(r)
	}
	first, err := q.add(ctx, r)
	if done != nil && first != r.ID {
		q.waiters.leave(r.ID, done)
	}
	if err != nil || first != r.ID {
		q.waiting.Add(-1)
		q.turnBack(r)
	}
	if err != nil {
		return nil, fmt.Errorf("queue: enqueue: %w", err)
	}
	if first != r.ID {
		return q.repeated(ctx, &r.Message, first, done, now)
	}
	defer q.findStrays(ctx, now)
	defer q.admit(r, from, now) // even where OnEvent ends the goroutine
	q.tell(r, "", now)
	return r, nil
}

// add keeps a new message, and returns its ID or that of the one that came first
// with its key. A store that fails may have kept it all the same.
func (q *Queue) add(ctx context.Context, r *Record) (first string, err error) {
	first, err = q.store.Add(ctx, r, r.Enqueued.Add(-q.options.KeepKeys))
	if err == nil || errors.Is(err, ErrConflict) {
		return first, err
	}
	switch _, missing := q.store.Get(context.WithoutCancel(ctx), r.ID); {
	case missing == nil:
		return r.ID, nil
	case !errors.Is(missing, ErrUnknownMessage):
		q.strays.note(r.ID, "")
	}
	return "", err
}

// request is what an item of an account, which is in the line, asks of the limiter.
func (q *Queue) request(account, portfolio string, it *item) limiter.Request {
	r := limiter.Request{
		Account: account, Action: policy.SendMessage, Recipient: it.to, Portfolio: portfolio,
		Campaign: it.campaign.name, NewContact: it.contact,
	}
	if it.campaign.priority <= 0 {
		r.Keep = q.options.KeepForUrgent
	}
	return r
}

// requestOf is what a message asks of the queue's limiter.
func (q *Queue) requestOf(m *Message, from origin) limiter.Request {
	r := request(m)
	r.Campaign, r.NewContact, r.Portfolio = m.Campaign, from.contact, from.portfolio
	if m.Priority <= 0 {
		r.Keep = q.options.KeepForUrgent
	}
	return r
}

// request is what a message asks of a limiter.
func request(m *Message) limiter.Request {
	return limiter.Request{Account: m.Account, Action: policy.SendMessage, Recipient: m.To}
}

// tell counts and logs a change of a message's status, and calls Options.OnEvent. It
// must not be called with a shard's lock held.
func (q *Queue) tell(r *Record, from Status, at time.Time) {
	q.counts.count(from, r.Status)
	q.note(r, from)
	if q.options.OnEvent == nil {
		return
	}
	defer q.rescue("OnEvent panicked", r.subject())
	told := *r
	told.Message = told.clone()
	q.options.OnEvent(Event{Record: told, From: from, At: at})
}

// note logs a change of a message's status: as a warning where it will not go out, or
// may not have.
func (q *Queue) note(r *Record, from Status) {
	level := slog.LevelDebug
	if r.Status == Failed || r.Status == InDoubt {
		level = slog.LevelWarn
	}
	if ctx := context.Background(); q.log.Enabled(ctx, level) {
		q.log.LogAttrs(ctx, level, "message is "+string(r.Status),
			slog.String("id", r.ID), slog.String("account", mask.Phone(r.Account)), slog.String("to", mask.Phone(r.To)),
			slog.String("from", string(from)), slog.String("code", string(r.Code)), slog.Int("attempts", r.Attempts),
			slog.String("error", mask.Text(r.Err)))
	}
}

// targetOf is a target for the log.
func targetOf(t limiter.Target) string {
	switch {
	case t == limiter.Target{}:
		return "everything"
	case t.NewContacts:
		return "new contacts of " + mask.Phone(t.Account)
	}
	return strings.Join(strings.Fields(mask.Phone(t.Account)+" "+mask.Phone(t.Recipient)+" "+mask.Text(t.Campaign)), " ")
}

// A subject is the message that a line of the log is about.
type subject struct{ id, account, to string }

func (m *Message) subject() subject { return subject{m.ID, m.Account, m.To} }

func (j job) subject() subject { return subject{j.item.id, j.lane.account, j.item.to} }

// complain logs what went wrong with a message.
func (q *Queue) complain(what string, s subject, err error) {
	q.log.Error(what, "id", s.id, "account", mask.Phone(s.account), "to", mask.Phone(s.to), "error", mask.Text(said(err)))
}

// broke logs a panic of the user's code.
func (q *Queue) broke(what string, s subject, v any) {
	q.log.Error(what, "id", s.id, "account", mask.Phone(s.account), "to", mask.Phone(s.to),
		"error", mask.Text(plain(fmt.Sprint("it panicked: ", v))), "stack", mask.Text(string(debug.Stack())))
}

// rescue, deferred, logs a panic of the user's code and ends it.
func (q *Queue) rescue(what string, s subject) {
	if v := recover(); v != nil {
		q.broke(what, s, v)
	}
}
