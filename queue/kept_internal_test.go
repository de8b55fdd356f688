package queue

import (
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What a store in memory keeps is the whole record, whichever of its fields are set.
func TestKept_Whole(t *testing.T) {
	t.Parallel()
	plain := Record{
		Message:  Message{ID: "m", Account: "a", To: "447700900001", Text: "hello"},
		Enqueued: time.Unix(1, 2).UTC(), Order: 7, Status: Queued, Version: 1,
	}
	k := kept{order: plain.Order}
	k.set(&plain, new(sync.Pool))
	require.Equal(t, plain, k.record())
	require.Nil(t, k.asked)
	require.Nil(t, k.fate)

	var each func(r *Record, v reflect.Value)
	each = func(r *Record, v reflect.Value) {
		for i := range v.NumField() {
			f := v.Field(i)
			if f.Kind() == reflect.Struct && f.Type() != reflect.TypeFor[time.Time]() {
				each(r, f)
				continue
			}
			if v.Type().Field(i).Name == "Order" { // which nothing changes
				continue
			}
			name, old := v.Type().Field(i).Name, reflect.ValueOf(f.Interface())
			fill(t, f)
			require.NotEqual(t, old.Interface(), f.Interface(), name)
			k.set(r, new(sync.Pool))
			require.Equal(t, *r, k.record(), name)
			require.Equal(t, r.Status, k.status())
			require.Equal(t, r.Version, k.version())
			f.Set(old)
			k.set(r, new(sync.Pool))
			require.Equal(t, *r, k.record(), name)
		}
	}
	r := plain
	each(&r, reflect.ValueOf(&r).Elem())
	require.Equal(t, plain, r)
}

// fill gives a field another value.
func fill(t *testing.T, f reflect.Value) {
	t.Helper()
	switch v := f.Addr().Interface().(type) {
	case *time.Time:
		*v = time.Unix(5, 6).UTC()
	case *[]byte:
		*v = []byte{1}
	case *map[string]string:
		*v = map[string]string{"a": "b"}
	case *bool:
		*v = true
	default:
		switch {
		case f.Kind() == reflect.String:
			f.SetString("another")
		case f.CanInt():
			f.SetInt(77)
		case f.CanUint():
			f.SetUint(77)
		default:
			require.Fail(t, "a field of a kind that the test does not know: "+f.Type().String())
		}
	}
}
