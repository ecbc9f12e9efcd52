#!/bin/sh
# filterpy: until version 2 the unscented filter of a linear motion is not the Kalman filter, and the square-root filter has another P.
#
# Guessed: where motion and measurement are linear, all forms of the Kalman filter agree up to rounding.
# Seen: in filterpy 1.4.5, the newest for eight years, UnscentedKalmanFilter does not draw its points again after the process noise is
# added: the gain is that of a filter with less noise. SquareRootKalmanFilter has the right x, but its P is the transposed factor
# times the factor. Both agree with KalmanFilter in 2.0.0, so that an upgrade moves tracks.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for version in 1.4.5 2.0.0; do
    python3 -m pip install -q --root-user-action ignore --disable-pip-version-check --no-deps --target "$folder/$version" numpy==2.4.6 scipy==1.17.1 filterpy==$version
    PYTHONPATH=$folder/$version python3 -B - <<'END'
import filterpy
import numpy as np
from filterpy.common import Q_discrete_white_noise
from filterpy.kalman import JulierSigmaPoints, KalmanFilter, SquareRootKalmanFilter, UnscentedKalmanFilter

F, H, Q, R = np.array([[1, 1], [0, 1.0]]), np.array([[1.0, 0]]), Q_discrete_white_noise(2, 1, 0.3), np.array([[4.0]])
start, spread = np.array([1.0, 2]), np.diag([5.0, 3])
measured = [3, 4, 8, 9, 13, 14, 15, 18, 21, 25]
kalman, root = KalmanFilter(2, 1), SquareRootKalmanFilter(2, 1)
for one in kalman, root:
    one.x, one.P, one.F, one.H, one.Q, one.R = start.reshape(2, 1), spread, F, H, Q, R
points = JulierSigmaPoints(2, 1)
unscented = UnscentedKalmanFilter(2, 1, 1, hx=lambda x: x[:1], fx=lambda x, dt: F @ x, points=points)
unscented.x, unscented.P, unscented.Q, unscented.R = start, spread, Q, R
worst = np.zeros(4)
for value in measured:
    for one, given in (kalman, value), (root, np.array([[value]])), (unscented, np.array([value])):
        one.predict()
        one.update(given)
    apart = [np.ravel(one.x) - np.ravel(kalman.x) for one in (unscented, root)] + [one.P - kalman.P for one in (unscented, root)]
    worst = np.maximum(worst, [np.abs(part).max() for part in apart])
print(f"filterpy {filterpy.__version__}: unscented differs by {worst[0]:.3f} in x, {worst[2]:.3f} in P; square root by {worst[1]:.3f} in x, {worst[3]:.3f} in P")
if filterpy.__version__ == "1.4.5":
    assert worst[0] > 0.05 and worst[2] > 0.1 and worst[1] < 1e-9 and worst[3] > 0.1
else:
    assert worst.max() < 1e-9
END
done
