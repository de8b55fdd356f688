package queue

import "time"

// usedKeys are the keys of messages, for as long as they have to be known.
type usedKeys struct {
	first map[key]*usedKey // of the message that came first
	all   []*usedKey       // in the order in which they were used
}

// A key is a message's among those of all accounts.
type key struct{ account, key string }

type usedKey struct {
	key
	id string
	at time.Time
}

// id is that of the message that used a key first after since, or empty.
func (u *usedKeys) id(k key, since time.Time) string {
	if first := u.first[k]; first != nil && first.at.After(since) {
		return first.id
	}
	return ""
}

// use takes in that a message uses a key.
func (u *usedKeys) use(k key, id string, at time.Time) {
	used := &usedKey{k, id, at}
	u.first[k] = used
	u.all = append(u.all, used)
}

// forget drops the keys that were used at since or before.
func (u *usedKeys) forget(since time.Time) {
	n := 0
	for n < len(u.all) && !u.all[n].at.After(since) {
		if old := u.all[n]; u.first[old.key] == old {
			delete(u.first, old.key)
		}
		n++
	}
	clear(u.all[:n])
	u.all = u.all[n:]
}
