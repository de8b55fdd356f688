'use strict'

// One server with endpoints for each draft that express-rate-limit prints, of one
// and of two requests in WINDOW ms. It prints its port and ends with its standard
// input.

const express = require('express')
const { rateLimit } = require('express-rate-limit')

const app = express()
const windowMs = Number(process.env.WINDOW)
for (const limit of [1, 2]) {
  for (const draft of ['draft-6', 'draft-7', 'draft-8']) {
    app.use(`/${limit}/${draft}`, rateLimit({ windowMs, limit, standardHeaders: draft, legacyHeaders: false }))
  }
  app.use(`/${limit}/legacy`, rateLimit({ windowMs, limit, standardHeaders: false, legacyHeaders: true }))
}
app.use((req, res) => res.json({ ok: true }))

const server = app.listen(0, '127.0.0.1', () => console.log(server.address().port))
process.stdin.resume()
process.stdin.on('end', () => process.exit(0))
