package limiter

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// told is a set of recipients as a list that is looked through each time.
type told []entry

type entry struct {
	who   uint64
	at    int64
	again bool // it was not the first of its instant
}

func (l told) last(who uint64) (last entry) {
	for _, e := range l {
		if e.who == who {
			last = e
		}
	}
	return last
}

// put appends a sighting in the place of the one before.
func (l told) put(who uint64, at int64) told {
	i := slices.IndexFunc(l, func(e entry) bool { return e.who == who })
	if i < 0 {
		return append(l, entry{who, at, false})
	}
	again := l[i].at == at
	return append(slices.Delete(l, i, i+1), entry{who, at, again})
}

func (l told) living(now int64, window uint64) (living told) {
	for _, e := range l {
		if uint64(now-e.at) < window {
			living = append(living, e)
		}
	}
	return living
}

// whole checks that the index and the ring say the same.
func (s *recipients) whole(t rapid.TB) {
	places := map[uint32]bool{}
	for _, p := range s.index {
		if p &^= again; p != 0 {
			require.False(t, places[p])
			places[p] = true
		}
	}
	require.Len(t, places, s.alive)
	living := 0
	for i := range s.n {
		if s.living(s.place(i)) {
			require.True(t, places[uint32(s.place(i))+1])
			living++
		}
		if i > 0 {
			require.LessOrEqual(t, s.ring[s.place(i-1)].at, s.ring[s.place(i)].at)
		}
	}
	require.Equal(t, s.alive, living)
	require.LessOrEqual(t, 8*s.alive, 7*len(s.index), "searches of a full index never end")
}

// TestRecipientsAgainstAList puts, removes, drops and restarts, and looks at times
// that move back and forth. Each look must say what a copy says that has never
// looked before: the cursor is only a memo.
func TestRecipientsAgainstAList(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var (
			s      recipients
			list   told
			now    int64
			window = rapid.Uint64Range(1, 50).Draw(t, "window")
			// Few lower bits, so that searches collide.
			recipient = rapid.Custom(func(t *rapid.T) uint64 {
				return rapid.Uint64Range(0, 30).Draw(t, "high")<<32 | rapid.Uint64Range(0, 3).Draw(t, "low")
			})
		)
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			now += rapid.Int64Range(0, 9).Draw(t, "pass")
			who := recipient.Draw(t, "who")
			switch rapid.IntRange(0, 9).Draw(t, "op") {
			default:
				s.look(now, window)
				s.drop()
				list = list.living(now, window).put(who, now)
				s.put(who, now)
			case 1:
				s.look(now, window)
				s.drop()
				if len(list) > 0 {
					seen := rapid.SampledFrom(list).Draw(t, "seen")
					at := seen.at - rapid.SampledFrom([]int64{0, 0, 1}).Draw(t, "before")
					last := list.last(seen.who)
					s.remove(seen.who, at)
					if last.at == at && !last.again {
						list = slices.DeleteFunc(list, func(l entry) bool { return l.who == seen.who })
					}
				}
			case 2:
				s.rebuild(now, false)
			case 3:
				s.look(now, window)
				s.drop()
				s.rebuild(now, true)
				list = list.living(now, window)
				for i := range list {
					list[i].at = now
				}
			}
			s.whole(t)
			for range 2 {
				at := now + rapid.Int64Range(0, 60).Draw(t, "ahead")
				fresh := s
				fresh.past = cursor{}
				living := list.living(at, window)
				require.Equal(t, len(living), s.look(at, window), "at %d", at)
				require.Equal(t, len(living), fresh.look(at, window), "at %d", at)
				require.Equal(t, fresh.past, s.past, "at %d", at)
				for n, want := range living {
					got := s.nth(int64(n) + 1)
					require.Equal(t, sighting{want.who, want.at}, got)
				}
			}
		}
	})
}

// TestAgainMarksASecondSightingOfOneInstant holds what keeps a recipient that two
// sent to at once from being taken back by the first.
func TestAgainMarksASecondSightingOfOneInstant(t *testing.T) {
	t.Parallel()
	var s recipients
	s.put(5, 100)
	s.put(5, 100)
	s.remove(5, 100)
	require.Equal(t, 1, s.look(100, 10))
	s.rebuild(100, false)
	s.remove(5, 100)
	require.Equal(t, 1, s.look(100, 10), "the mark outlives a rebuild")
	s.put(5, 101)
	s.remove(5, 101)
	require.Equal(t, 0, s.look(101, 10), "the sighting at 101 is the first of its instant")
	s.put(5, 101)
	s.remove(5, 101)
	require.Equal(t, 0, s.look(101, 10))
}

// TestAHundredThousandRecipientsCost24BytesEach counts what a set takes while it
// fills up and, full, while old recipients make room for new ones.
func TestAHundredThousandRecipientsCost24BytesEach(t *testing.T) {
	t.Parallel()
	const full = 100_000
	m := &uniqueRecipients{max: full, window: full}
	c := cells{words: []int64{0}, stock: new(stock)}
	for tick := range int64(2 * full) {
		r := claim{
			demand: demand{cost: 1, recipient: uint64(tick) * 0x9e3779b97f4a7c15},
			at:     instant{tick: tick, wall: tick},
		}
		if m.ask(c, &r).answer != Allowed || !m.charge(c, &r) {
			t.Fatal("refused at", tick)
		}
		if tick >= full-1 && tick%1000 == 999 {
			s := c.stock.sets.at(c.words[0])
			require.Equal(t, full, s.look(tick, m.window))
			require.LessOrEqual(t, 16*len(s.ring)+4*len(s.index), 24*full)
		}
	}
}
