package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"sync"
	"time"

	"github.com/wapace/wapace/internal/mask"
	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue"
)

// onWire is how long the sender takes for a message in real time.
const onWire = 100 * time.Millisecond

// A campaign is the messages of one run and what paces them.
type campaign struct {
	settings settings
	clock    limiter.Clock
	queue    *queue.Queue
	view     view
	out      *output
	tally    tally
	last     string // the ID of the last message
}

func newCampaign(s settings, stdout io.Writer) (*campaign, error) {
	c := &campaign{settings: s, clock: limiter.RealClock(), out: newOutput(stdout, s.virtual)}
	took := onWire
	if s.virtual {
		c.clock, took = &virtualClock{now: s.start}, 0
	}
	l, err := limiter.New(s.policy, &limiter.Options{Seed: s.seed})
	if err != nil {
		return nil, err
	}
	// How the account's next message stands now.
	next := func() limiter.Decision {
		return l.Check(c.clock.Now(), limiter.Request{Account: s.account, Action: policy.SendMessage})
	}
	if bad := (*limiter.RequestError)(nil); errors.As(next().Err(), &bad) {
		return nil, fmt.Errorf("-account %s: %s", bad.Value, bad.Remedy)
	}
	c.view = &jsonLines{out: c.out}
	if !s.json {
		c.view = newScreen(c.out, c.clock, next, !s.virtual && isTerminal(stdout))
	}
	o := queue.Options{Limiter: l, Clock: c.clock, Seed: s.seed, OnEvent: func(e queue.Event) {
		c.view.event(e)
		c.tally.event(e)
	}}
	if !s.typing {
		o.Typing = &queue.Typing{}
	}
	c.queue, err = queue.New(s.policy, wire{c.clock, took, c.view}, &o)
	return c, err
}

// load enqueues the rows of the file and reports those that cannot be sent. An
// error means that the file is no campaign.
func (c *campaign) load(ctx context.Context, reports *log.Logger) (rejected int, err error) {
	data, err := c.settings.read()
	if err != nil {
		return 0, err
	}
	for r, err := range rows(data) {
		if err == nil {
			err = c.enqueue(ctx, r)
		}
		bad := (*rowError)(nil)
		switch {
		case errors.As(err, &bad):
			reports.Print(bad)
			rejected++
		case err != nil:
			return rejected, fmt.Errorf("%s: %w", c.settings.source(), err)
		}
	}
	return rejected, nil
}

func (c *campaign) enqueue(ctx context.Context, r row) error {
	to, err := queue.ParseAddress(r.to)
	if bad := (*queue.AddressError)(nil); errors.As(err, &bad) {
		return &rowError{r.line, bad.Value, bad.Reason, bad.Remedy}
	}
	id, err := c.queue.Enqueue(ctx, queue.Message{Account: c.settings.account, To: to.String(), Text: r.text})
	if bad := (*queue.MessageError)(nil); errors.As(err, &bad) {
		return &rowError{r.line, mask.Phone(r.to), bad.Reason, bad.Remedy}
	}
	if err == nil {
		c.last = id
	}
	return err
}

// foresee says when the last message goes, to be put behind a sentence.
func (c *campaign) foresee(ctx context.Context) string {
	if c.last == "" {
		return ""
	}
	e, err := c.queue.ETA(ctx, c.last)
	switch {
	case err != nil:
		return ""
	case e.High.IsZero():
		return "; the last one may never go"
	}
	return "; the last one goes by " + e.High.Format(time.DateTime)
}

// pace sends what was loaded and returns everything that went wrong.
func (c *campaign) pace(ctx context.Context, rejected int) (problems []error) {
	total := c.tally.now().left
	began := c.clock.Now()
	c.view.line("%s from %s under %q%s", count(total, "message"), mask.Phone(c.settings.account), c.settings.policy.Slug, c.foresee(ctx))
	if total > 0 {
		if err := c.drive(ctx); err != nil {
			problems = append(problems, err)
		}
	}
	took := c.clock.Now().Sub(began).Round(time.Millisecond)
	n := c.tally.now()
	c.view.line("%d sent, %d failed, %d rejected in %s", n.sent, n.failed, rejected, took)
	if n.left > 0 {
		problems = append(problems, fmt.Errorf("stopped: %d of %d messages were not sent", n.left, total))
	}
	if n.failed > 0 {
		problems = append(problems, fmt.Errorf("%d of %d messages failed", n.failed, total))
	}
	if err := c.out.Flush(); err != nil {
		problems = append(problems, fmt.Errorf("standard output: %w", err))
	}
	return problems
}

// drive runs the queue until nothing waits, or ctx is done.
func (c *campaign) drive(ctx context.Context) error {
	if clock, ok := c.clock.(*virtualClock); ok {
		return clock.drain(ctx, c.queue)
	}
	ctx, finish := context.WithCancel(ctx)
	c.tally.finish = finish
	var refreshing sync.WaitGroup
	refreshing.Go(func() { c.view.refresh(ctx) })
	err := c.queue.Run(ctx)
	finish()
	refreshing.Wait()
	return err
}

var _ queue.Typist = wire{}

// A wire stands for WhatsApp: every message goes out, after the time it takes.
type wire struct {
	clock limiter.Clock
	took  time.Duration
	view  view
}

func (w wire) Send(ctx context.Context, m queue.Message) (queue.Receipt, error) {
	select {
	case <-w.clock.After(w.took):
		return queue.Receipt{ID: "wire-" + m.ID}, nil
	case <-ctx.Done():
		return queue.Receipt{}, context.Cause(ctx)
	}
}

func (w wire) Typing(_ context.Context, m queue.Message, d time.Duration) error {
	w.view.typing(m, d)
	return nil
}

// A tally counts messages by what became of them.
type tally struct {
	mu sync.Mutex
	n  counts

	finish func() // called when none is left, if not nil
}

type counts struct{ left, sent, failed int }

func (t *tally) now() counts {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.n
}

func (t *tally) event(e queue.Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch s := e.Record.Status; {
	case e.From == "":
		t.n.left++
		return
	case s == queue.Sent:
		t.n.sent++
	case s.Final():
		t.n.failed++
	default:
		return
	}
	t.n.left--
	if t.n.left == 0 && t.finish != nil {
		t.finish()
	}
}
