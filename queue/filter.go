package queue

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// A Filter says which messages [Queue.List] returns. The zero Filter lets all
// through; a field that is set lets through what has it.
type Filter struct {
	// Account, Campaign, To and WireID are the message's. To is a canonical
	// address, and finds a message by the recipient that was asked for as well.
	Account, Campaign, To, WireID string

	// Statuses are those that a message may have. None: any.
	Statuses []Status

	// From and Until bound when a message was taken in: at From or later, before
	// Until.
	From, Until time.Time

	// Before lets through only messages with a lower Order. Give that of the last
	// message of a page to get the next page: messages that come in or are
	// forgotten meanwhile do not move it. Zero: all.
	Before uint64

	// Limit is how many are returned at most. Default 100; at most [MaxPage]. A
	// negative Limit is an error.
	Limit int
}

// MaxPage is the largest page of [Queue.List].
const MaxPage = 1000

// Matches reports whether the filter lets a record through, whatever its Limit. It
// is for stores.
func (f *Filter) Matches(r *Record) bool {
	switch {
	case f.Account != "" && r.Account != f.Account,
		f.Campaign != "" && r.Campaign != f.Campaign,
		f.WireID != "" && r.WireID != f.WireID,
		f.To != "" && r.To != f.To && r.AskedTo != f.To,
		len(f.Statuses) > 0 && !slices.Contains(f.Statuses, r.Status),
		!f.From.IsZero() && r.Enqueued.Before(f.From),
		!f.Until.IsZero() && !r.Enqueued.Before(f.Until),
		f.Before != 0 && r.Order >= f.Before:
		return false
	}
	return true
}

// List returns messages and what became of them, newest first, a page at a time.
// Messages that are done with so long ago that they are forgotten are not among
// them. A Limit out of range is an [OptionError].
func (q *Queue) List(ctx context.Context, f Filter) ([]Record, error) {
	if err := given(ctx); err != nil {
		return nil, err
	}
	switch {
	case f.Limit < 0 || f.Limit > MaxPage:
		return nil, optionError("limit", f.Limit, fmt.Sprintf("use 1 to %d, or 0 for the default", MaxPage))
	case f.Limit == 0:
		f.Limit = 100
	}
	return q.store.List(ctx, f)
}
