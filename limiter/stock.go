package limiter

// A stock keeps what a shard's holders have beyond their words: logs and sets.
// They exist once used.
type stock struct {
	logs numbered[log]
	sets numbered[recipients]
}

// numbered items are kept by number from 1. Number 0 is none.
type numbered[T any] struct {
	all  []*T
	free []int64
}

// at is the item with the number, nil for number 0.
func (n *numbered[T]) at(number int64) *T {
	if number == 0 {
		return nil
	}
	return n.all[number-1]
}

// open makes an item.
func (n *numbered[T]) open() (number int64) {
	if last := len(n.free) - 1; last >= 0 {
		number = n.free[last]
		n.free = n.free[:last]
		n.all[number-1] = new(T)
		return number
	}
	n.all = append(n.all, new(T))
	return int64(len(n.all))
}

// close forgets an item.
func (n *numbered[T]) close(number int64) {
	if number != 0 {
		n.all[number-1] = nil
		n.free = append(n.free, number)
	}
}

// discard forgets what a meter's words refer to.
func (s *stock) discard(layout []cell, words []int64) {
	for i, c := range layout {
		switch c {
		case aLog, aTally:
			s.logs.close(words[i])
		case aSet:
			s.sets.close(words[i])
		case aCount, aTick, aWall, aSerial, aFlights, aSends, aSum:
		}
	}
}
