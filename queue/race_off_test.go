//go:build !race

package queue_test

// How many campaigns the tests of estimates send.
const campaigns, exactCampaigns = 200, 600
