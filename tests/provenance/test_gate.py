def test_gate_admits_what_two_people_signed(house):
    first, second = house.enter(1, 2)
    received = []
    corpus = house.admit(receive=lambda work, music: received.append((work.work_id, music)))
    assert len(corpus) == len(corpus.admitted) == 2
    assert {w for w, _ in received} == {first.work, second.work}
