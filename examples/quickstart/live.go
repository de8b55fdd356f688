package main

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/wapace/wapace/internal/mask"
	"github.com/wapace/wapace/limiter"
	"github.com/wapace/wapace/queue"
)

const (
	refreshEvery = 100 * time.Millisecond
	screenWidth  = 79 // a line that wraps cannot be written over
)

// A screen is the view for people: a line for each message that is done with and,
// where live, one below them that says what is next and what holds it.
type screen struct {
	out   *output
	clock limiter.Clock
	next  func() limiter.Decision // how the next message stands now
	live  bool

	mu      sync.Mutex
	all     map[string]*entry // by ID; those that are not done with
	waiting []*entry          // those not on the wire yet, in the order they came
	total   int
	held    limiter.Gate // what holds the next message, or did; the zero Gate is nothing
	typed   *entry       // who typing is shown to, or nil
	until   time.Time    // until when it is
	shown   int          // how wide the live line on the screen is
}

// An entry is one message on the screen.
type entry struct {
	number int
	to     string
	why    string // why it waited, once it is on the wire
}

func newScreen(out *output, clock limiter.Clock, next func() limiter.Decision, live bool) *screen {
	return &screen{out: out, clock: clock, next: next, live: live, all: make(map[string]*entry)}
}

func (s *screen) event(e queue.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := &e.Record
	if e.From == "" {
		s.total++
		added := &entry{number: s.total, to: mask.Phone(r.To)}
		s.all[r.ID], s.waiting = added, append(s.waiting, added)
		return
	}
	m := s.all[r.ID]
	if e.From == queue.Queued {
		s.leave(m)
	}
	if r.Status == queue.Sending {
		m.why, s.held = reason(s.held), limiter.Gate{}
	}
	if r.Status.Final() {
		delete(s.all, r.ID)
		s.print(m.line(r, e.At, s.total))
	}
	if d := s.next(); d.Answer != limiter.Allowed {
		s.held = d.Gate
	}
}

// leave takes a message from those that wait. It requires s.mu.
func (s *screen) leave(m *entry) {
	if i := slices.Index(s.waiting, m); i == 0 {
		s.waiting = s.waiting[1:]
	} else if i > 0 {
		s.waiting = slices.Delete(s.waiting, i, i+1)
	}
	if s.typed == m {
		s.typed = nil
	}
}

func (s *screen) typing(m queue.Message, d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.typed, s.until = s.all[m.ID], s.clock.Now().Add(d)
}

func (s *screen) line(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.print(fmt.Sprintf(format, args...))
}

// print writes a line that stays. It requires s.mu.
func (s *screen) print(text string) {
	s.out.put(s.erased(text) + "\n")
	s.shown = 0
}

// erased is text, written over the live line. It requires s.mu.
func (s *screen) erased(text string) string {
	if !s.live {
		return text
	}
	left := max(s.shown-utf8.RuneCountInString(text), 0)
	return "\r" + text + strings.Repeat(" ", left)
}

// refresh writes the live line again and again until ctx is done.
func (s *screen) refresh(ctx context.Context) {
	for s.live && ctx.Err() == nil {
		s.rewrite()
		select {
		case <-s.clock.After(refreshEvery):
		case <-ctx.Done():
		}
	}
}

func (s *screen) rewrite() {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := s.status()
	s.out.put(s.erased(text))
	s.shown = utf8.RuneCountInString(text)
}

// status says what is next. It requires s.mu.
func (s *screen) status() string {
	now := s.clock.Now()
	if m := s.typed; m != nil {
		return m.status(s.total, "typing for another "+brief(s.until.Sub(now)))
	}
	if len(s.waiting) == 0 {
		return "the last message is on the wire"
	}
	m := s.waiting[0]
	switch d := s.next(); d.Answer {
	case limiter.Later:
		return m.status(s.total, fmt.Sprintf("gate %q holds it for another %s", d.Rule, brief(d.RetryAfter)))
	case limiter.Busy:
		return m.status(s.total, fmt.Sprintf("gate %q holds it while one is on the wire", d.Rule))
	case limiter.Never:
		return m.status(s.total, fmt.Sprintf("gate %q never lets it go", d.Rule))
	default:
		return m.status(s.total, "it goes now")
	}
}

// status is a live line about a message, cut to fit.
func (m *entry) status(total int, what string) string {
	text := []rune(fmt.Sprintf("next: %d of %d to %s; %s", m.number, total, m.to, what))
	return string(text[:min(len(text), screenWidth)])
}

// line says what became of a message, and when.
func (m *entry) line(r *queue.Record, at time.Time, total int) string {
	text := fmt.Sprintf("%s  %d of %d %s to %s; ", at.Format(time.DateTime), m.number, total, r.Status, m.to)
	switch {
	case r.Status != queue.Sent:
		return text + fmt.Sprintf("%s: %s", r.Code, mask.Text(r.Err))
	case r.Typing > 0:
		return text + m.why + ", typing " + brief(r.Typing)
	}
	return text + m.why
}

// reason says what held a message.
func reason(held limiter.Gate) string {
	switch held.Answer {
	case limiter.Later:
		return fmt.Sprintf("gate %q held it %s", held.Rule, brief(held.RetryAfter))
	case limiter.Busy:
		return fmt.Sprintf("gate %q held it while one was on the wire", held.Rule)
	default:
		return "nothing held it"
	}
}

// brief is d for people, rounded up, so that what is not over is not 0.0s.
func brief(d time.Duration) string {
	const tenth = time.Second / 10
	if tenths := (max(d, 0) + tenth - 1) / tenth; tenths < 600 {
		return fmt.Sprintf("%d.%ds", tenths/10, tenths%10)
	}
	return (d + time.Second - 1).Truncate(time.Second).String()
}

// isTerminal reports whether w is a screen on which a line can be written over.
func isTerminal(w io.Writer) bool {
	f, ok := w.(interface{ Stat() (fs.FileInfo, error) })
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&fs.ModeCharDevice != 0
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
