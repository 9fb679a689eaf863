from tests.e2e.test_run_faults import *
def test_dbg(scene):
    ref = scene.deployed("outage")
    with wire(scene) as (line, client):
        def do():
            print("CUT", client.configuration.host, len(line._sockets))
            line.becomes(Weather.CUT)
        run = scene.run(BOOKS["restart"], ref, Happening(CHANGING, do), client, HurriedClock())
    from bot.domain.timeline import entries
    with scene.store.read() as r:
        for e in entries(r.recorded(run_id=run.id)): print(e.at, e.text)
    assert 0
