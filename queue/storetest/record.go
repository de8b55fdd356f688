package storetest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/wapace/wapace/queue"
)

const (
	alice = "447700900000"
	bob   = "447700900001"
	carol = "447700900002"
)

// epoch is when the tests begin. It has nanoseconds, which a store must keep.
func epoch() time.Time { return time.Date(2026, 3, 1, 9, 30, 0, 123_456_789, time.UTC) }

// record is new message n of an account.
func record(n int, account string) *queue.Record {
	return &queue.Record{
		Message:  queue.Message{ID: fmt.Sprint("m", n), Account: account, To: bob, Text: "hello"},
		Status:   queue.Queued,
		Enqueued: epoch().Add(time.Duration(n) * time.Minute), Order: uint64(n), Version: 1,
	}
}

// full is a record with every field set.
func full(n int, account string) *queue.Record {
	r := record(n, account)
	r.Kind, r.Text, r.Payload = "image", "h\u00e9llo \U0001f44b\x00", []byte{0, 1, 0xff}
	r.Meta = map[string]string{"order": "77", "": "empty"}
	r.WireID, r.Key, r.Campaign, r.Priority = "wire-1", "key-1", "spring", queue.HighestPriority
	r.NotBefore, r.ExpiresAt = epoch().Add(time.Hour), epoch().Add(48*time.Hour)
	r.InDoubt = queue.ResendInDoubt
	r.AskedTo, r.Code, r.Err = carol, queue.SendRefused, "busy"
	r.At, r.Done = epoch().Add(2*time.Hour), epoch().Add(2*time.Hour+time.Nanosecond)
	r.Attempts, r.RetryAt, r.Resent = 3, epoch().Add(3*time.Hour), true
	r.Typing, r.Receipt = 1234567*time.Nanosecond, queue.Receipt{ID: "receipt-1"}
	return r
}

// next is a record's next version. Times follow from when it was taken in: it is
// on the wire a second later, and for a second.
func next(r *queue.Record, status queue.Status) *queue.Record {
	c := copied(r)
	c.Version++
	c.Status = status
	switch {
	case status == queue.Sending:
		c.At, c.Done = c.Enqueued.Add(time.Duration(c.Version)*time.Second), time.Time{}
		c.Attempts++
	case r.Status == queue.Sending:
		c.Done = c.At.Add(time.Second)
	}
	return &c
}

// copied shares nothing with the record.
func copied(r *queue.Record) queue.Record {
	c := *r
	if r.Payload != nil {
		c.Payload = append([]byte{}, r.Payload...)
	}
	if r.Meta != nil {
		c.Meta = make(map[string]string, len(r.Meta))
		for k, v := range r.Meta {
			c.Meta[k] = v
		}
	}
	return c
}

// add keeps records, which must be new.
func (s *store) add(ctx context.Context, records ...*queue.Record) error {
	for _, r := range records {
		given := copied(r)
		id, err := s.Add(ctx, &given, time.Time{})
		if err != nil {
			return fmt.Errorf("Add of %s: %w", r.ID, err)
		}
		if id != r.ID {
			return fmt.Errorf("Add of %s returned the ID %q", r.ID, id)
		}
	}
	return nil
}

// change takes a kept record through statuses and returns its last version.
func (s *store) change(ctx context.Context, r *queue.Record, statuses ...queue.Status) (*queue.Record, error) {
	for _, status := range statuses {
		r = next(r, status)
		given := copied(r)
		if err := s.Change(ctx, &given, nil); err != nil {
			return nil, fmt.Errorf("Change of %s to %s: %w", r.ID, status, err)
		}
	}
	return r, nil
}

// has reports how the record kept under the wanted one's ID differs from it.
func (s *store) has(ctx context.Context, want *queue.Record) error {
	got, err := s.Get(ctx, want.ID)
	if err != nil {
		return fmt.Errorf("Get of %s: %w", want.ID, err)
	}
	return differ(&got, want)
}

// differ reports the first field in which two records differ. Times are the same
// where they are the same instant, and nothing is the same as empty.
func differ(got, want *queue.Record) error {
	return differFields("", reflect.ValueOf(*got), reflect.ValueOf(*want))
}

func differFields(path string, got, want reflect.Value) error {
	for i := range want.NumField() {
		field := want.Type().Field(i)
		g, w := got.Field(i), want.Field(i)
		at, isTime := w.Interface().(time.Time)
		switch {
		case isTime:
			if other, _ := g.Interface().(time.Time); !other.Equal(at) {
				return fmt.Errorf("%s%s is %v, want %v", path, field.Name, g, w)
			}
		case w.Kind() == reflect.Struct:
			if err := differFields(path+field.Name+".", g, w); err != nil {
				return err
			}
		case (w.Kind() == reflect.Slice || w.Kind() == reflect.Map) && g.Len() == 0 && w.Len() == 0:
		case !reflect.DeepEqual(g.Interface(), w.Interface()):
			return fmt.Errorf("%s%s is %#v, want %#v", path, field.Name, g.Interface(), w.Interface())
		}
	}
	return nil
}

// want is an error unless err is target.
func want(what string, err, target error) error {
	if !errors.Is(err, target) {
		return fmt.Errorf("%s: got %w, want %w", what, orNone(err), target)
	}
	return nil
}

// orNone puts the lack of an error into words.
func orNone(err error) error {
	if err == nil {
		return errors.New("no error")
	}
	return err
}

// ids are the records' names, in their order.
func ids(records []queue.Record) (all []string) {
	for i := range records {
		all = append(all, records[i].ID)
	}
	return all
}

// same is an error unless two lists of names are the same.
func same(what string, got []string, want ...string) error {
	if len(got) != len(want) {
		return fmt.Errorf("%s: got %v, want %v", what, got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			return fmt.Errorf("%s: got %v, want %v", what, got, want)
		}
	}
	return nil
}
